"""Makes a testnet's folder: keys, genesis and a home per node.

The genesis is built from the consortium's documents, with a fresh key added to each member, and
the validators and peers of this testnet.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import GenesisError
from ledger.genesis import build_from_documents, parse_genesis
from node.config import Config, LogConfig, P2PConfig, RPCConfig, TestnetConfig, render_config
from node.keys import KeyFile, generate, save_key
from node.network.host import peer_id_of
from node.testnet.errors import TestnetError
from node.testnet.layout import Entry, Layout, MemberKey, free_ports, save
from node.testnet.limits import OBSERVERS_MAX, VALIDATORS_MAX


@dataclass(frozen=True, slots=True)
class _Plan:
    name: str
    node_key: KeyFile
    validator_key: KeyFile | None
    rpc_port: int
    p2p_port: int
    peer_id: str

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.p2p_port}"


def build(folder: Path, consortium: Path, validators: int, observers: int) -> Layout:
    """Fill the empty `folder` with a new testnet, or leave it empty. Raises TestnetError."""
    if not 1 <= validators <= VALIDATORS_MAX or not 0 <= observers <= OBSERVERS_MAX:
        raise TestnetError(
            f"a testnet has 1 to {VALIDATORS_MAX} validators and up to {OBSERVERS_MAX} observers"
        )
    if any(folder.iterdir()):
        raise TestnetError(f"{folder} holds something else; name an empty folder with --dir")
    try:
        return _fill(folder, consortium, validators, observers)
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _fill(folder: Path, consortium: Path, validators: int, observers: int) -> Layout:
    plans = _plan(validators, observers)
    members = _members(consortium)
    keys = {member["code"]: generate("member") for member in members}
    data = _genesis(consortium, plans, members, keys)
    genesis = folder / "genesis.json"
    genesis.write_bytes(data)
    chain_id = parse_genesis(data).chain_id
    for plan in plans:
        _home(folder, plan, genesis, plans)
    layout = Layout(
        chain_id,
        str(genesis),
        tuple(_entry(folder, plan) for plan in plans),
        tuple(_member(folder, member, keys[member["code"]]) for member in members),
    )
    save(folder, layout)
    return layout


def _plan(validators: int, observers: int) -> list[_Plan]:
    names = [f"v{i}" for i in range(validators)] + [f"o{i}" for i in range(observers)]
    ports = free_ports(2 * len(names))
    plans = []
    for i, name in enumerate(names):
        key = generate("node")
        vote = generate("validator") if i < validators else None
        plans.append(_Plan(name, key, vote, ports[2 * i], ports[2 * i + 1], peer_id_of(key.seed)))
    return plans


def _members(consortium: Path) -> list[dict[str, Any]]:
    path = consortium / "members.json"
    try:
        members = json.loads(path.read_text())
        if not members or not all(member["code"] and member["name"] for member in members):
            raise ValueError("there must be some, each with a code and a name")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TestnetError(f"{path}: not a list of members ({error})") from None
    return list(members)


def _genesis(
    consortium: Path,
    plans: Sequence[_Plan],
    members: Sequence[dict[str, Any]],
    keys: Mapping[str, KeyFile],
) -> bytes:
    codes = [member["code"] for member in members]
    keyed = []
    for member in members:
        fresh = {"key": keys[member["code"]].public.hex(), "status": "active"}
        keyed.append({**member, "keys": [*member.get("keys", ()), fresh]})
    voting, peers = [], []
    for i, plan in enumerate(plans):
        common = {"name": plan.name, "member": codes[i % len(codes)], "peer_id": plan.peer_id}
        if plan.validator_key is None:
            peers.append(common)
        else:
            key = plan.validator_key.public.hex()
            voting.append({**common, "key": key, "address": plan.address})
    documents = {
        "network.json": json.loads((consortium / "network.json").read_text()),
        "members.json": keyed,
        "validators.json": voting,
        "peers.json": peers,
    }
    try:
        return build_from_documents(documents, int(time.time() * 1000))
    except GenesisError as error:
        raise TestnetError(f"{consortium}: {error}") from None


def _home(folder: Path, plan: _Plan, genesis: Path, plans: Sequence[_Plan]) -> None:
    home = folder / plan.name
    home.mkdir()
    shutil.copyfile(genesis, home / "genesis.json")
    others = (other for other in plans if other is not plan and other.validator_key is not None)
    config = Config(
        home,
        plan.name,
        P2PConfig(plan.address, tuple(f"{other.address}/p2p/{other.peer_id}" for other in others)),
        RPCConfig(f"127.0.0.1:{plan.rpc_port}"),
        LogConfig(),
        TestnetConfig(control=True),
    )
    (home / "config.toml").write_text(render_config(config))
    save_key(config.node_key_path, plan.node_key)
    if plan.validator_key is not None:
        save_key(config.validator_key_path, plan.validator_key)


def _entry(folder: Path, plan: _Plan) -> Entry:
    return Entry(
        name=plan.name,
        home=str(folder / plan.name),
        pid=None,
        rpc=f"http://127.0.0.1:{plan.rpc_port}",
        p2p=f"{plan.address}/p2p/{plan.peer_id}",
        validator=plan.validator_key is not None,
    )


def _member(folder: Path, member: Mapping[str, Any], key: KeyFile) -> MemberKey:
    path = folder / "members" / f"{member['code']}.key"
    save_key(path, key)
    return MemberKey(member["name"], member["code"], tuple(member.get("roles", ())), str(path))
