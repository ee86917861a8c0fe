"""The methods that give proofs: passports, COSE receipts, and the genesis that they rest on."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from typing import Any

from ledger.errors import NotRegistered
from ledger.identifiers import parse_id
from ledger.passport import passport_document
from ledger.proofs import make_passport
from node.rpc.context import Context
from node.rpc.passport_shapes import GenesisDocument, ProofAt
from node.rpc.shapes import NoParameters


async def proof_get(context: Context, given: ProofAt) -> dict[str, Any] | str:
    """The passport of an ID, registered or not. Raises InvalidIdentifier, NotRegistered."""
    return await context.read(partial(_proof, context, given))


def _proof(context: Context, given: ProofAt) -> dict[str, Any] | str:
    passport = make_passport(context.node.chain, given.id, given.current)
    if given.format == "json":
        return passport_document(passport)
    if passport.claim != "registered":
        display = parse_id(given.id).display
        message = f"{display} is not registered: a receipt is of a registration; ask for a passport"
        raise NotRegistered("E_NOT_REGISTERED", message, "id")
    return b64encode(context.node.receipt(passport)).decode()


async def genesis_get(context: Context, given: NoParameters) -> GenesisDocument:
    """The genesis document, exact to the byte."""
    genesis = context.node.genesis
    document = b64encode(genesis.data).decode()
    return GenesisDocument(genesis.chain_id, genesis.digest.hex(), document)
