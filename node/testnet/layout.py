"""A testnet's folder: testnet.json for everybody, processes.json for these commands."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from node.testnet.errors import TestnetError
from node.testnet.processes import Process


@dataclass(frozen=True, slots=True)
class Entry:
    """One node. `p2p` ends in /p2p/<peer ID>; `pid` is None while it was never started."""

    name: str
    home: str
    pid: int | None
    rpc: str
    p2p: str
    validator: bool

    @property
    def peer_id(self) -> str:
        """The libp2p identity."""
        return self.p2p.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class MemberKey:
    """One member of the consortium; `key` is the path of its key file."""

    name: str
    code: str
    roles: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What testnet.json says."""

    chain_id: str
    genesis: str
    nodes: tuple[Entry, ...]
    members: tuple[MemberKey, ...]

    def node(self, name: str) -> Entry:
        """The node called `name`. Raises TestnetError."""
        for entry in self.nodes:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.nodes)
        raise TestnetError(f"no node is called {name!r}; there are {known}")

    def with_pid(self, name: str, pid: int) -> Layout:
        """The same with another pid for one node."""
        nodes = (replace(e, pid=pid) if e.name == name else e for e in self.nodes)
        return replace(self, nodes=tuple(nodes))


def exists(folder: Path) -> bool:
    """Whether a testnet was made in `folder`."""
    return (folder / "testnet.json").exists()


def load(folder: Path) -> Layout:
    """Read testnet.json. Raises TestnetError."""
    path = folder / "testnet.json"
    try:
        document = json.loads(path.read_text())
        nodes = tuple(Entry(**entry) for entry in document["nodes"])
        members = tuple(
            MemberKey(**{**member, "roles": tuple(member["roles"])})
            for member in document["members"]
        )
        return Layout(document["chain_id"], document["genesis"], nodes, members)
    except FileNotFoundError:
        raise TestnetError(f"no testnet in {folder}; `kilochain testnet up` makes one") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TestnetError(
            f"{path}: unreadable ({error}); `kilochain testnet clean` removes it"
        ) from None


def save(folder: Path, layout: Layout) -> None:
    """Write testnet.json in one step."""
    write_json(folder / "testnet.json", asdict(layout))


def load_processes(folder: Path) -> dict[str, Process]:
    """Name to process, as they were last started. Raises TestnetError."""
    path = folder / "processes.json"
    try:
        return {name: Process(**entry) for name, entry in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise TestnetError(f"{path}: unreadable ({error}); end its nodes by hand") from None


def save_processes(folder: Path, processes: dict[str, Process]) -> None:
    """Remember who runs."""
    write_json(folder / "processes.json", {name: asdict(p) for name, p in processes.items()})


def write_json(path: Path, document: object) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1) + "\n")
    os.replace(fresh, path)


def free_ports(count: int) -> list[int]:
    """`count` different TCP ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
