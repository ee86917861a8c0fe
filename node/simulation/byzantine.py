"""The Byzantine cast: replicas that hold a real key and misuse it.

Each is a real replica behind a wrong edge: a filter on what it sends, a second body with the same
key, a disk that forgets. So its lies are well-formed and come when they may be believed.

Roles, by what the others see:

- `silent`: nothing is ever sent;
- `selective`: some peers never hear of it;
- `late`: every frame comes after most of a view timer;
- `replayer`: old frames of its own come again, at random;
- `garbler`: one byte of some frames is changed;
- `withholder`: no COMMIT is sent, so others commit without it or not at all;
- `twin`: two replicas under one key, each with its own pool, disk and half of the network: an
  equivocating primary in its views and an equivocating voter in all others;
- `amnesiac`: restarts with an empty journal and votes again: a VIEW-CHANGE that lies about what
  was prepared, and votes that contradict earlier ones;
- `equivocator`: votes for another digest go to some peers;
- `colluder`: as `twin`, but each body knows one half of the others only, and all colluders have
  the same two halves: two networks that each see a whole story;
- `denier`: its VIEW-CHANGE withholds the prepared certificate;
- `rewinder`: its VIEW-CHANGE names an older head, with the certificate of that one;
- `forger`: its NEW-VIEW requires nothing, whatever was prepared, or it holds too few VIEW-CHANGEs,
  or one of them twice;
- `rooter`: the blocks that it proposes name a wrong state root;
- `censor`: it never proposes a transaction, and shares none;
- `shunner`: it never proposes or shares the transactions of some clients;
- `mutator`: one field of some frames is another value, and votes are signed again with it;
- `babbler`: between its frames come bytes that are none;
- `misleader`: claims a height that it does not have, and answers with blocks that nobody may take:
  under a spoilt certificate or another block's, with a gap, backwards, far too many, or none.
"""

from __future__ import annotations

import hashlib
import random
from functools import partial

from consensus.interface import CommittedBlock
from consensus.messages import NewView, ViewChange, Vote
from node.simulation.forge import (
    babble,
    contradicted,
    denied,
    forged,
    mutated,
    read,
    rewound,
    status,
)
from node.simulation.host import FrameFilter, Host
from node.simulation.limits import ANSWERED_BLOCKS_MAX, CLAIMED_HEIGHTS, REPLAY_FRAMES_MAX
from node.simulation.shared import Cluster
from node.simulation.signatures import frame_kind

ROLES = (
    "silent",
    "selective",
    "late",
    "replayer",
    "garbler",
    "withholder",
    "twin",
    "colluder",
    "amnesiac",
    "equivocator",
    "denier",
    "rewinder",
    "forger",
    "rooter",
    "censor",
    "shunner",
    "mutator",
    "babbler",
    "misleader",
)

_BABBLING = ("garbler", "mutator", "babbler")
_LYING = ("equivocator", "denier", "rewinder", "forger", "misleader")
TWO_BODIES = ("twin", "colluder")
_LATE_MS = 1_800  # 0.9 of the first view timer
_AMNESIA_MS_MAX = 8_000


def corrupt(host: Host, role: str) -> None:
    """Make `host` play `role`; a twin's second body is created by the caller."""
    assert role in ROLES
    host.honest = False
    host.cluster.world.note(f"{host.name} is Byzantine: {role}")
    host.filter = _filter(host, role)
    host.app.lies = role == "rooter"
    if role in ("censor", "shunner"):
        host.refuses = is_shunned if role == "shunner" else is_any
    if role == "amnesiac":
        _forget_again_and_again(host)
    elif role == "misleader":
        host.distort = partial(_distorted, host.cluster.world.random)


def is_any(transaction: bytes) -> bool:
    """Every transaction is censored."""
    return True


def is_shunned(transaction: bytes) -> bool:
    """Whether a `shunner` censors this one: every second, by its digest."""
    return hashlib.sha256(transaction).digest()[0] % 2 == 0


def _silent(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
    return []


def _late(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
    return [(_LATE_MS, frame)]


def _faithful(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
    return [(0, frame)]


def _dropping(host: Host, role: str) -> FrameFilter:
    """Filters that choose which frames leave, and when."""
    chance = host.cluster.world.random
    deaf = _deaf(host)
    kept: list[bytes] = []

    def selective(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        return [] if target in deaf else [(0, frame)]

    def replayer(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        if len(kept) < REPLAY_FRAMES_MAX:
            kept.append(frame)
        return [(0, frame), (chance.randint(0, 5_000), chance.choice(kept))]

    def withholder(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        return [] if frame_kind(frame) == "commit" else [(0, frame)]

    by_role: dict[str, FrameFilter] = {
        "silent": _silent,
        "selective": selective,
        "late": _late,
        "replayer": replayer,
        "withholder": withholder,
    }
    return by_role.get(role, _faithful)


def _babbling(host: Host, role: str) -> FrameFilter:
    """Filters that change what frames say without much thought."""
    chance = host.cluster.world.random

    def garbler(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        if chance.random() < 0.5:
            return [(0, frame)]
        changed = bytearray(frame)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return [(0, bytes(changed))]

    def mutator(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        return [(0, frame if chance.random() < 0.5 else mutated(host, frame))]

    def babbler(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        return [(0, frame), (0, babble(chance, frame))]

    by_role: dict[str, FrameFilter] = {
        "garbler": garbler,
        "mutator": mutator,
        "babbler": babbler,
    }
    return by_role[role]


def _lying(host: Host, role: str) -> FrameFilter:
    """Filters that say what is false, in form."""
    deaf = _deaf(host)

    def equivocator(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        message = read(host, frame)
        if isinstance(message, Vote) and target in deaf:
            return [(0, contradicted(host, message))]
        return [(0, frame)]

    def denier(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        message = read(host, frame)
        return [(0, denied(host, message) if isinstance(message, ViewChange) else frame)]

    def rewinder(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        message = read(host, frame)
        return [(0, rewound(host, message) if isinstance(message, ViewChange) else frame)]

    def forger(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        message = read(host, frame)
        return [(0, forged(host, message) if isinstance(message, NewView) else frame)]

    def misleader(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
        if frame_kind(frame) == "status":
            frame = status(host, host.app.head.header.height + CLAIMED_HEIGHTS)
        return [(0, frame)]

    by_role: dict[str, FrameFilter] = {
        "equivocator": equivocator,
        "denier": denier,
        "rewinder": rewinder,
        "forger": forger,
        "misleader": misleader,
    }
    return by_role[role]


def _deaf(host: Host) -> frozenset[str]:
    chance = host.cluster.world.random
    return frozenset(peer for peer in host.cluster.peers() if chance.random() < 0.5)


def _filter(host: Host, role: str) -> FrameFilter:
    if role in _BABBLING:
        return _babbling(host, role)
    return _lying(host, role) if role in _LYING else _dropping(host, role)


def separate(cluster: Cluster, colluders: list[str]) -> None:
    """Let the two bodies of each colluder live in two networks that share no honest host."""
    if not colluders:
        return
    twins = [f"{name}'" for name in colluders]
    others = [name for name in cluster.hosts if name not in colluders and name not in twins]
    cluster.world.random.shuffle(others)
    half = len(others) // 2
    walls = [(colluders, [*twins, *others[half:]]), (twins, [*colluders, *others[:half]])]
    for bodies, hidden in walls:
        for body in bodies:
            for other in hidden:
                cluster.network.wall(body, other)
                cluster.network.wall(other, body)


def _distorted(chance: random.Random, told: list[CommittedBlock]) -> list[CommittedBlock]:
    """An answer that a correct replica must not take as it is."""
    if not told:
        return told
    one = told[0]
    return chance.choice(
        (
            [_spoilt(each) for each in told],
            [CommittedBlock(each.block, told[-1].certificate) for each in told],
            told[1:],
            told[::-1],
            [one] * ANSWERED_BLOCKS_MAX,
            [],
        )
    )


def _spoilt(told: CommittedBlock) -> CommittedBlock:
    """The same block under a certificate in which one byte is another."""
    at = len(told.certificate) // 2
    changed = told.certificate[at] ^ 0xFF
    spoilt = told.certificate[:at] + bytes([changed]) + told.certificate[at + 1 :]
    return CommittedBlock(told.block, spoilt)


def _forget_again_and_again(host: Host) -> None:
    def forget() -> None:
        if host.alive:
            host.forget()
        host.cluster.world.after(wait(), forget)

    def wait() -> int:
        return host.cluster.world.random.randint(500, _AMNESIA_MS_MAX)

    host.cluster.world.after(wait(), forget)
