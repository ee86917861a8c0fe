"""The document that a network starts from: members, validators, peers, parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ledger import limits
from ledger.codec import digest
from ledger.countries import COUNTRIES
from ledger.errors import GenesisError

ROLES = ("producer", "refiner", "trader", "carrier", "lab", "auditor", "regulator", "operator")
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Facility:
    """A place where a member works. `country`: ISO 3166-1 alpha-2."""

    id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class MemberKey:
    """A signing key (32 bytes); `facilities` None = all of the member's."""

    key: bytes
    status: str
    facilities: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation of the consortium. `code`: 4 characters, part of its IDs."""

    code: str
    name: str
    country: str
    roles: tuple[str, ...]
    status: str
    keys: tuple[MemberKey, ...]
    facilities: tuple[Facility, ...]


@dataclass(frozen=True, slots=True)
class Validator:
    """Who votes. `key`: 32 bytes; `address`: a multiaddr without /p2p, or None."""

    name: str
    member: str
    key: bytes
    peer_id: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that may connect and does not vote."""

    peer_id: str
    member: str
    name: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """Consensus parameters: bytes, counts and ms that every replica must agree on."""

    block_bytes_max: int = 4 * 1024 * 1024
    block_transactions_max: int = 1_000
    transaction_bytes_max: int = limits.TRANSACTION_BYTES_MAX
    validity_ms_max: int = limits.VALIDITY_MS_MAX


_CEILINGS = Parameters(
    limits.BLOCK_BYTES_MAX,
    limits.BLOCK_TRANSACTIONS_MAX,
    limits.TRANSACTION_BYTES_MAX,
    limits.VALIDITY_MS_MAX,
)


@dataclass(frozen=True, slots=True)
class Genesis:
    """A parsed genesis; `data` are its exact bytes and `digest` is theirs."""

    name: str
    chain_id: str
    digest: bytes
    time_ms: int
    members: tuple[Member, ...]
    validators: tuple[Validator, ...]
    peers: tuple[Peer, ...]
    parameters: Parameters
    data: bytes


def genesis_digest(data: bytes) -> bytes:
    """The digest of genesis bytes, 32 bytes."""
    return digest("kilochain/genesis/1", data)


def parse_genesis(data: bytes) -> Genesis:
    """Read and check genesis.json. Raises GenesisError naming the field."""
    if len(data) > limits.GENESIS_BYTES_MAX:
        raise _bad("genesis", f"longer than {limits.GENESIS_BYTES_MAX} bytes")
    try:
        document = json.loads(data, object_pairs_hook=_once, parse_float=_no_float)
    except (ValueError, RecursionError) as error:
        raise _bad("genesis", f"not readable as JSON: {error}") from error
    names = {"version", "name", "time_ms", "members", "validators", "peers", "parameters"}
    _keys(document, "genesis", names)
    if document["version"] != 1:
        raise _bad("version", "this program reads version 1")
    name = _text(document, "name", "genesis")
    if not _NAME.fullmatch(name):
        raise _bad("name", "lower-case letters, digits and hyphens, at most 32")
    time_ms = _integer(document, "time_ms", "genesis", limits.TIME_MS_MAX)
    members = tuple(_member(m, f"members[{i}]") for i, m in _items(document, "members", "genesis"))
    validators = tuple(
        _validator(v, f"validators[{i}]") for i, v in _items(document, "validators", "genesis")
    )
    peers = tuple(_peer(p, f"peers[{i}]") for i, p in _items(document, "peers", "genesis"))
    _cross_check(members, validators, peers)
    found = genesis_digest(data)
    chain_id = f"{name}-{found.hex()[:16]}"
    parameters = _parameters(document["parameters"])
    return Genesis(name, chain_id, found, time_ms, members, validators, peers, parameters, data)


def build_genesis(
    consortium: Mapping[str, Any],
    validators: Sequence[Mapping[str, Any]],
    peers: Sequence[Mapping[str, Any]],
    name: str,
    time_ms: int,
) -> bytes:
    """genesis.json from its parts. Raises GenesisError.

    `consortium`: {"members": [member documents], "parameters"?: {…}}; keys in hex.
    """
    members = [
        {"status": "active", "keys": [], "facilities": [], **m} for m in consortium["members"]
    ]
    document = {
        "version": 1,
        "name": name,
        "time_ms": time_ms,
        "members": sorted(members, key=lambda member: str(member.get("code"))),
        "validators": list(validators),
        "peers": list(peers),
        "parameters": {**asdict(Parameters()), **consortium.get("parameters", {})},
    }
    data = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"
    parse_genesis(data)
    return data


def build_from_documents(documents: Mapping[str, Any], time_ms: int) -> bytes:
    """genesis.json from a folder's parsed JSON, keyed by path ("members/K77G.json", …).

    Members stand in members.json (a list) or one per file under members/. `time_ms` is used
    where network.json does not say it. Raises GenesisError.
    """
    network = documents.get("network.json", {})
    members = list(documents.get("members.json", []))
    members += [documents[path] for path in sorted(documents) if path.startswith("members/")]
    return build_genesis(
        {"members": members, "parameters": network.get("parameters", {})},
        documents.get("validators.json", []),
        documents.get("peers.json", []),
        network.get("name", "kilochain"),
        network.get("time_ms", time_ms),
    )


def _member(document: Any, at: str) -> Member:
    _keys(document, at, {"code", "name", "country", "roles", "status", "keys", "facilities"})
    code = _text(document, "code", at)
    if not _CODE.fullmatch(code) or code == "0000":
        raise _bad(f"{at}.code", "4 characters of Crockford base 32, not 0000")
    roles = tuple(document["roles"]) if isinstance(document["roles"], list) else ()
    if not roles or any(role not in ROLES for role in roles):
        raise _bad(f"{at}.roles", f"one or more of {' '.join(ROLES)}")
    places = [_facility(f, f"{at}.facilities[{i}]") for i, f in _items(document, "facilities", at)]
    keys = tuple(_key(k, f"{at}.keys[{i}]") for i, k in _items(document, "keys", at))
    known = [place.id for place in places]
    _distinct(known, f"{at}.facilities")
    for key in keys:
        if any(place not in known for place in key.facilities or ()):
            raise _bad(f"{at}.keys", "names a facility that the member does not have")
    name, country = _text(document, "name", at), _country(document, at)
    return Member(code, name, country, roles, _status(document, at), keys, tuple(places))


def _facility(document: Any, at: str) -> Facility:
    _keys(document, at, {"id", "name", "country"})
    return Facility(_text(document, "id", at), _text(document, "name", at), _country(document, at))


def _key(document: Any, at: str) -> MemberKey:
    _keys(document, at, {"key", "status"}, {"facilities"})
    places = document.get("facilities")
    if places is not None and not isinstance(places, list):
        raise _bad(f"{at}.facilities", "a list of facility ids, or leave it out for all")
    facilities = None if places is None else tuple(str(place) for place in places)
    return MemberKey(_hex32(document, "key", at), _status(document, at), facilities)


def _validator(document: Any, at: str) -> Validator:
    _keys(document, at, {"name", "member", "key", "peer_id"}, {"address"})
    name, member = _text(document, "name", at), _text(document, "member", at)
    address = _text(document, "address", at) if document.get("address") is not None else None
    return Validator(
        name, member, _hex32(document, "key", at), _text(document, "peer_id", at), address
    )


def _peer(document: Any, at: str) -> Peer:
    _keys(document, at, {"peer_id", "member", "name"})
    return Peer(*(_text(document, name, at) for name in ("peer_id", "member", "name")))


def _parameters(document: Any) -> Parameters:
    names = [field.name for field in fields(Parameters)]
    _keys(document, "parameters", set(names))
    values = Parameters(
        *(_integer(document, n, "parameters", getattr(_CEILINGS, n)) for n in names)
    )
    if min(getattr(values, name) for name in names) < 1:
        raise _bad("parameters", "each is at least 1")
    return values


def _cross_check(
    members: Sequence[Member], validators: Sequence[Validator], peers: Sequence[Peer]
) -> None:
    if not validators:
        raise _bad("validators", "at least one is needed")
    codes = [member.code for member in members]
    _distinct(codes, "members.code")
    _distinct([key.key for member in members for key in member.keys], "members.keys")
    _distinct([place.id for member in members for place in member.facilities], "facilities.id")
    _distinct([validator.key for validator in validators], "validators.key")
    nodes: tuple[Validator | Peer, ...] = (*validators, *peers)
    _distinct([node.peer_id for node in nodes], "peer_id")
    _distinct([node.name for node in nodes], "name")
    for node in nodes:
        if node.member not in codes:
            raise _bad("member", f"{node.name} belongs to {node.member!r}, which is no member")


def _keys(document: Any, at: str, wanted: set[str], optional: set[str] | None = None) -> None:
    if not isinstance(document, dict):
        raise _bad(at, "must be a JSON object")
    for name in sorted(wanted - set(document)):
        raise _bad(f"{at}.{name}", "missing")
    for name in sorted(set(document) - wanted - (optional or set())):
        raise _bad(f"{at}.{name}", "unknown field: remove it")


def _items(document: Mapping[str, Any], name: str, at: str) -> list[tuple[int, Any]]:
    if not isinstance(document[name], list):
        raise _bad(f"{at}.{name}", "must be a list")
    return list(enumerate(document[name]))


def _text(document: Mapping[str, Any], name: str, at: str) -> str:
    value = document[name]
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise _bad(f"{at}.{name}", "must be text of 1 to 256 characters")
    return value


def _integer(document: Mapping[str, Any], name: str, at: str, highest: int) -> int:
    value = document[name]
    if type(value) is not int or not 0 <= value <= highest:
        raise _bad(f"{at}.{name}", f"must be an integer of 0 to {highest}")
    return value


def _hex32(document: Mapping[str, Any], name: str, at: str) -> bytes:
    value = document[name]
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise _bad(f"{at}.{name}", "must be 64 lower-case hex digits")
    return bytes.fromhex(value)


def _country(document: Mapping[str, Any], at: str) -> str:
    value = _text(document, "country", at)
    if value not in COUNTRIES:
        raise _bad(f"{at}.country", f"{value!r} is no ISO 3166-1 alpha-2 code")
    return value


def _status(document: Mapping[str, Any], at: str) -> str:
    value = _text(document, "status", at)
    if value not in ("active", "suspended"):
        raise _bad(f"{at}.status", "active or suspended")
    return value


def _distinct(values: Sequence[object], at: str) -> None:
    if len({*values}) != len(values):
        raise _bad(at, "each must be different")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_float(text: str) -> Any:
    raise ValueError(f"{text}: only integers are allowed")


def _bad(at: str, message: str) -> GenesisError:
    return GenesisError("E_GENESIS", f"{at}: {message}", at)
