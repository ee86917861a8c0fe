"""Verify a passport with nothing but the genesis document and Ed25519 (docs/passport.md).

`verify_passport` never raises for what the files hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger import passport_words as words
from ledger.blocks import BlockHeader
from ledger.codec import CodecError, encode
from ledger.errors import GenesisError, InvalidIdentifier, InvalidPassport, InvalidTransaction
from ledger.genesis import Genesis, Member, MemberKey, parse_genesis
from ledger.identifiers import RegistryId, format_id, parse_id
from ledger.merkle import verify_inclusion
from ledger.passport import Block, Passport, Record, Registration, StateEntry, parse_passport
from ledger.passport_agreement import (
    SignatureCheck,
    Trust,
    ValidatorSet,
    agreed_header,
    broken,
    read_header,
    require,
    validator_set,
)
from ledger.state_proof import StateProof, root_of
from ledger.transactions import Transaction, parse_transaction, payload_to_json

STEPS = (
    "format",
    "genesis",
    "identity",
    "validators",
    "agreement",
    "inclusion",
    "signature",
    "member",
    "record",
    "state",
)
_REGISTRATION_STEPS = ("inclusion", "signature", "member", "record")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `says`: what holds now, or why it does not."""

    name: str
    passed: bool
    says: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a passport. The last of `steps` is the first that failed, if any did.

    `proven` and `not_proven` are sentences; nothing is proven unless `valid`. `evidence`: what the
    steps have read, for comparing two passports.
    """

    valid: bool
    claim: str | None
    id: str | None
    steps: tuple[Step, ...]
    proven: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    evidence: Evidence | None = field(default=None, repr=False)

    @property
    def failed(self) -> Step | None:
        """The first step that does not hold."""
        return None if self.valid else self.steps[-1]


@dataclass(slots=True)
class Evidence:
    """What the steps establish, one after the other."""

    passport: Passport
    genesis: Genesis
    trust: Trust
    identity: RegistryId = field(init=False)
    sets: list[ValidatorSet] = field(default_factory=list)
    registered_in: BlockHeader | None = None
    transaction: Transaction | None = None
    member: Member | None = None
    state_at: BlockHeader | None = None


def batch_key(producer: str, batch_no: int) -> bytes:
    """The key of a batch in the state."""
    return b"batch/" + producer.encode("ascii") + batch_no.to_bytes(4, "big")


def verify_passport(data: bytes, genesis: bytes, check: SignatureCheck) -> Verdict:
    """Take the steps in order and stop at the first that fails.

    `data`: the file; `genesis`: the exact bytes of the document that the verifier trusts.
    """
    steps: list[Step] = []
    claim = text = None
    name = STEPS[0]
    try:
        passport = parse_passport(data)
        claim, text = passport.claim, passport.id
        steps.append(Step(name, True, words.FORMAT))
        name = STEPS[1]
        trusted = _trusted(passport, genesis)
        found = Evidence(passport, trusted, Trust(trusted.chain_id, check))
        steps.append(Step(name, True, words.genesis(found.genesis.chain_id)))
        for name, take in _steps_of(passport):
            steps.append(Step(name, True, take(found)))
    except InvalidPassport as error:
        steps.append(Step(name, False, str(error)))
        return Verdict(False, claim, text, tuple(steps))
    return Verdict(True, claim, text, tuple(steps), _proven(found), _not_proven(found), found)


def _trusted(passport: Passport, data: bytes) -> Genesis:
    try:
        genesis = parse_genesis(data)
    except GenesisError as error:
        raise broken(f"the genesis document does not read: {error}") from error
    require(
        genesis.digest == passport.genesis,
        f"made for the genesis {passport.genesis.hex()}, and yours is {genesis.digest.hex()}",
    )
    require(genesis.chain_id == passport.chain_id, f"this genesis starts {genesis.chain_id}")
    return genesis


def _steps_of(passport: Passport) -> list[tuple[str, Callable[[Evidence], str]]]:
    left_out = () if passport.registration else _REGISTRATION_STEPS
    if not passport.state:
        left_out = (*left_out, "state")
    return [(name, _TAKE[name]) for name in STEPS if name in _TAKE and name not in left_out]


def _identity(found: Evidence) -> str:
    try:
        found.identity = parse_id(found.passport.id)
    except InvalidIdentifier as error:
        raise broken(str(error)) from error
    require(found.identity.text == found.passport.id, "the ID is not in its canonical form")
    return words.identity(found.identity.display)


def _validators(found: Evidence) -> str:
    first = found.genesis.validators
    found.sets = [validator_set(-1, [(each.key, each.name, each.peer_id) for each in first])]
    for change in found.passport.validator_changes:
        before = found.sets[-1]
        header = agreed_header(change.block, before, found.trust)
        require(header.height > before.above, "the changes do not ascend")
        after = validator_set(
            header.height, [(v.key, v.name, v.peer_id) for v in change.validators]
        )
        require(0 < len(after.keys) == len({*after.keys}), "a set is empty or has a key twice")
        require(header.next_validators_hash == after.hash, "the block agrees on another set")
        require(after.hash != before.hash, "a change that changes nothing")
        found.sets.append(after)
    return words.validators(len(first), len(found.sets) - 1)


def _agreement(found: Evidence) -> str:
    said: list[tuple[int, int, int]] = []
    passport = found.passport
    if passport.registration:
        found.registered_in = _agreed_part(found, passport.registration.block, said)
    if passport.state:
        found.state_at = _agreed_part(found, passport.state.block, said)
    return words.agreement(said)


def _agreed_part(found: Evidence, block: Block, said: list[tuple[int, int, int]]) -> BlockHeader:
    height = read_header(block, found.trust).height
    force = [each for each in found.sets if each.above < height][-1]
    header = agreed_header(block, force, found.trust)
    said.append((height, len(block.certificate.votes), len(force.keys)))
    return header


def _registration(found: Evidence) -> tuple[Registration, BlockHeader]:
    part, header = found.passport.registration, found.registered_in
    assert part
    assert header is not None
    return part, header


def _inclusion(found: Evidence) -> str:
    part, header = _registration(found)
    stands = verify_inclusion(
        part.transaction, part.index, header.transactions, part.path, header.transactions_root
    )
    require(stands, f"the path does not lead to the transactions of block {header.height}")
    return words.inclusion(header.height, part.index)


def _signature(found: Evidence) -> str:
    part, _ = _registration(found)
    try:
        read = parse_transaction(part.transaction)
    except InvalidTransaction as error:
        raise broken(f"the registration does not read: {error}") from error
    require(
        read.envelope.chain_id == found.genesis.chain_id, "the registration is for another chain"
    )
    good = found.trust.check(read.envelope.key, read.signing_bytes, read.signature)
    require(good, "the registration is not signed by its key")
    found.transaction = read
    return words.signature(read.envelope.key.hex())


def _member(found: Evidence) -> str:
    assert found.transaction is not None
    envelope = found.transaction.envelope
    member = next((m for m in found.genesis.members if m.code == envelope.member), None)
    if member is None or member.status != "active":
        raise broken(f"the genesis lists no active member {envelope.member}")
    key = next((k for k in member.keys if k.key == envelope.key), None)
    if key is None or key.status != "active":
        raise broken(f"the key is no active key of {member.code}")
    require(_may_sign_for(member, key, envelope.payload.facility), "the key is not the facility's")
    may = "producer" in member.roles or "refiner" in member.roles
    require(may, f"{member.code} is neither producer nor refiner")
    found.member = member
    return words.member(member.code, member.name)


def _may_sign_for(member: Member, key: MemberKey, facility: str) -> bool:
    allowed = key.facilities is None or facility in key.facilities
    return allowed and any(place.id == facility for place in member.facilities)


def _record(found: Evidence) -> str:
    _, header = _registration(found)
    assert found.transaction is not None
    envelope, identity = found.transaction.envelope, found.identity
    said, record = envelope.payload, found.passport.record
    of_batch = (identity.producer, identity.batch_no) == (envelope.member, said.batch_no)
    require(of_batch, "the registration is of another batch than the ID")
    there = identity.serial <= said.units
    wanted = found.passport.claim == "registered"
    require(
        there == wanted, f"the batch has {said.units} kilograms, the ID names {identity.serial}"
    )
    expected = {
        "batch": format_id(identity.producer, identity.batch_no, 0),
        "mass_g": mass_of(identity.serial, said.net_mass_g, said.units),
        "payload": payload_to_json(said),
        "registered_by": envelope.member,
        "registered_ms": header.time_ms,
        "units": said.units,
    }
    assert record
    require(_same(record, expected), "the record says something else than the registration")
    return words.record(str(expected["batch"]), said.units)


def mass_of(serial: int, net_mass_g: int, units: int) -> int:
    """Grams of a kilogram, of the batch for serial 0, and 0 for a serial that it does not have."""
    if serial == 0:
        return net_mass_g
    if serial > units:
        return 0
    return 1000 if serial < units else net_mass_g - 1000 * (units - 1)


def _same(record: Record, expected: dict[str, object]) -> bool:
    # Python holds True and 1 for equal; their encodings differ.
    try:
        given = {name: getattr(record, name) for name in expected}
        return encode(given) == encode(expected)
    except CodecError:
        return False


def _state(found: Evidence) -> str:
    entry, header = found.passport.state, found.state_at
    assert entry
    assert header is not None
    key = batch_key(found.identity.producer, found.identity.batch_no)
    proof = StateProof(entry.siblings, _other(entry))
    leads = root_of(key, entry.value, proof) == header.state_root
    require(leads, f"the siblings do not lead to the state root of block {header.height}")
    if found.transaction is not None:
        part, block = _registration(found)
        require(block.height <= header.height, "the state is older than the registration")
        own = encode([found.transaction.tx_id, block.height, part.index])
        require(entry.value == own, "the state holds something else for this batch")
    return words.state(header.height, entry.value is not None)


def _other(entry: StateEntry) -> tuple[bytes, bytes] | None:
    return None if entry.other is None else (entry.other.path, entry.other.value_digest)


_TAKE: dict[str, Callable[[Evidence], str]] = {
    "identity": _identity,
    "validators": _validators,
    "agreement": _agreement,
    "inclusion": _inclusion,
    "signature": _signature,
    "member": _member,
    "record": _record,
    "state": _state,
}


def unchanged_since(old: Verdict, new: Verdict) -> str:
    """What two valid passports prove together: that the batch is the same as it was in `old`.

    Raises InvalidPassport (step "unchanged") when they do not. Both verdicts must come from the
    same genesis bytes.
    """
    try:
        return _unchanged(old.evidence, new.evidence)
    except InvalidPassport as error:
        raise InvalidPassport("unchanged", str(error)) from error


def _unchanged(old: Evidence | None, new: Evidence | None) -> str:
    if old is None or new is None:
        raise broken("one of the two passports proves nothing")
    require(old.genesis.digest == new.genesis.digest, "the passports are of two chains")
    require(_batch_of(old) == _batch_of(new), "the passports are of two batches")
    if old.transaction is None or new.transaction is None:
        raise broken("a passport without a registration shows no batch to compare")
    there, here = _registration(old), _registration(new)
    require(there[0].transaction == here[0].transaction, "another registration stands there now")
    require(
        (there[1].height, there[0].index) == (here[1].height, here[0].index),
        "the registration stands elsewhere now",
    )
    if new.state_at is None:
        raise broken("the newer passport has no state: make it with --current")
    since = there[1] if old.state_at is None else old.state_at
    require(since.height <= new.state_at.height, "the passport that is called newer is the older")
    batch = format_id(*_batch_of(new), 0)
    return words.compared(batch, new.state_at.height, new.state_at.time_ms)


def _batch_of(found: Evidence) -> tuple[str, int]:
    return found.identity.producer, found.identity.batch_no


def _proven(found: Evidence) -> tuple[str, ...]:
    identity, at = found.identity, found.state_at
    display = identity.display
    if found.transaction is None:
        assert at is not None
        return (words.absent(display, at.height, at.time_ms),)
    _, header = _registration(found)
    assert found.member is not None
    payload, by = found.transaction.envelope.payload, f"{found.member.name} ({found.member.code})"
    if found.passport.claim == "registered":
        mass = mass_of(identity.serial, payload.net_mass_g, payload.units)
        said = [words.registered(display, identity.serial, mass, by, header.time_ms)]
    else:
        said = [words.above(display, payload.units, by, header.time_ms)]
    if at is not None:
        said.append(words.unchanged(at.height, at.time_ms))
    return tuple(said)


def _not_proven(found: Evidence) -> tuple[str, ...]:
    since = words.not_since(None if found.state_at is None else found.state_at.height)
    return (since,) if found.transaction is None else (*words.NOT_PROVEN, since)
