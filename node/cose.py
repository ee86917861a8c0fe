"""A passport's registration as a COSE receipt (RFC 9942, in the manner of RFC 9943).

The entry is the signed transaction, the verifiable data structure the RFC 9162 tree of its block,
the signature that of the node which made the receipt. Why the block is final stands beside it
under a label for private use: its header and the quorum's commit certificate.
"""

from __future__ import annotations

import cbor2

from ledger.blocks import parse_header
from ledger.codec import encode
from ledger.passport import Passport
from node.keys import KeyFile

SIGN1_TAG = 18
ALG, KID, CWT_CLAIMS, VDS, VDP = 1, 4, 15, 395, 396
EDDSA = -8
RFC9162_SHA256 = 1
INCLUSION = -1
ISSUER, SUBJECT = 1, 2
AGREEMENT = -70_001  # of the range for private use, below -65536


def receipt(passport: Passport, key: KeyFile, peer_id: str) -> bytes:
    """A COSE_Sign1 of the passport's registration, signed by a node's identity key.

    The payload, the root of the block's transactions, is detached. The passport must have a
    registration.
    """
    part = passport.registration
    assert part
    header = parse_header(part.block.header)
    claims = {ISSUER: passport.chain_id, SUBJECT: passport.id}
    said = {ALG: EDDSA, KID: peer_id.encode(), CWT_CLAIMS: claims, VDS: RFC9162_SHA256}
    protected = cbor2.dumps(said, canonical=True)
    proof = cbor2.dumps([header.transactions, part.index, [bytes(each) for each in part.path]])
    certificate = part.block.certificate
    votes = [[vote.replica, bytes(vote.signature)] for vote in certificate.votes]
    agreement = {
        "certificate": encode([certificate.view, votes]),
        "header": bytes(part.block.header),
        "transaction": bytes(part.transaction),
    }
    unprotected = {VDP: {INCLUSION: [proof]}, AGREEMENT: agreement}
    signed = cbor2.dumps(["Signature1", protected, b"", header.transactions_root])
    body = [protected, unprotected, None, key.sign(signed)]
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, body), canonical=True)
