"""`kilochain init`: a node's home, with its keys, settings and genesis."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click

from ledger.genesis import Genesis
from node.cli.genesis import read_genesis, write_new
from node.cli.keys import peer_id_of_label
from node.cli.output import Failure, emit, home_option, json_option, show_fields
from node.cli.passphrase import choose_passphrase, no_passphrase_option, passphrase_file_option
from node.config import Config, P2PConfig, RPCConfig, load_config, render_config
from node.keys import KeyFile, generate, read_label, save_key


@click.command()
@home_option
@click.option(
    "--genesis",
    "genesis_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The network's genesis.json; leave it out while it does not exist yet.",
)
@click.option("--validator", is_flag=True, help="Make a voting key too.")
@click.option("--name", help="What this node is called; default: the folder's name.")
@click.option("--p2p-listen", default=P2PConfig().listen, show_default=True, metavar="MULTIADDR")
@click.option("--rpc-listen", default=RPCConfig().listen, show_default=True, metavar="HOST:PORT")
@click.option("--bootstrap", multiple=True, metavar="MULTIADDR", help="A peer to dial; repeatable.")
@passphrase_file_option
@no_passphrase_option
@json_option
def init(
    home: Path,
    genesis_path: Path | None,
    validator: bool,
    name: str | None,
    p2p_listen: str,
    rpc_listen: str,
    bootstrap: tuple[str, ...],
    passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Make a node's home, and print what the consortium's founder needs of it.

    Without --genesis the home waits for one: once the founder has built it, run this again with
    --home and --genesis. A home that has its genesis is never touched.

    Example: kilochain init --home ./node --genesis genesis.json --validator
    """
    genesis = None if genesis_path is None else read_genesis(genesis_path)
    config = Config(
        home,
        name or home.name,
        P2PConfig(p2p_listen, bootstrap),
        RPCConfig(rpc_listen),
    )
    if _waits_for_genesis(config) and genesis is not None:
        config = load_config(home)
        write_new(config.genesis_path, genesis.data)
    else:
        _refuse_existing(config)
        passphrase = choose_passphrase(no_passphrase, passphrase_file)
        _make(config, genesis, validator, passphrase)
    emit(_said(config, genesis), as_json, _show)


def _waits_for_genesis(config: Config) -> bool:
    made = (config.home / "config.toml").exists() and config.node_key_path.exists()
    return made and not config.genesis_path.exists()


def _refuse_existing(config: Config) -> None:
    if not config.home.exists() or not any(config.home.iterdir()):
        return
    if _waits_for_genesis(config):
        message = f"{config.home}: a node's home that waits for its genesis"
        raise Failure(message, then="run the same with --genesis, or name a new folder with --home")
    message = f"{config.home}: not empty; a home is never overwritten"
    raise Failure(message, then="name a new folder with --home")


def _make(config: Config, genesis: Genesis | None, validator: bool, passphrase: str | None) -> None:
    """Fill the home, or leave what was there before: nothing, or an empty folder."""
    keys: list[tuple[Path, KeyFile]] = [(config.node_key_path, generate("node"))]
    if validator:
        keys.append((config.validator_key_path, generate("validator")))
    text = render_config(config)
    existed = config.home.exists()
    try:
        config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, key in keys:
            save_key(path, key, passphrase)
        if genesis is not None:
            write_new(config.genesis_path, genesis.data)
        write_new(config.home / "config.toml", text.encode())
        load_config(config.home)
    except BaseException:
        for path in config.home.iterdir() if config.home.exists() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not existed and config.home.exists():
            config.home.rmdir()
        raise


def _said(config: Config, genesis: Genesis | None) -> dict[str, Any]:
    voting = None
    if config.validator_key_path.exists():
        voting = read_label(config.validator_key_path).public.hex()
    peer_id = peer_id_of_label(read_label(config.node_key_path))
    return {
        "home": str(config.home),
        "name": config.name,
        "peer_id": peer_id,
        "validator_key": voting,
        "p2p": config.p2p.listen,
        "rpc": f"http://{config.rpc.listen}",
        "chain_id": None if genesis is None else genesis.chain_id,
        "listed": None if genesis is None else _place(genesis, peer_id, voting),
    }


def _place(genesis: Genesis, peer_id: str | None, voting: str | None) -> str:
    """What the genesis says of this node: "validator", "peer" or "no"."""
    for each in genesis.validators:
        if each.peer_id == peer_id and each.key.hex() == voting:
            return "validator"
    listed = [each.peer_id for each in genesis.peers]
    listed += [each.peer_id for each in genesis.validators]
    return "peer" if peer_id in listed else "no"


def _show(said: dict[str, Any]) -> None:
    show_fields([(key.replace("_", " "), said[key]) for key in said])
    click.echo()
    if said["listed"] in ("validator", "peer"):
        click.echo(f"Next: kilochain start --home {said['home']}")
        return
    entry = {"name": said["name"], "member": "CODE", "peer_id": said["peer_id"]}
    file = "peers.json"
    if said["validator_key"] is not None:
        file = "validators.json"
        entry |= {"key": said["validator_key"], "address": "/dns4/HOST/tcp/8644"}
    if said["listed"] == "no":
        click.echo("This genesis does not list this node: the others will refuse its links.")
    click.echo(f"For the founder's {file}, with the member's code and the address filled in:")
    click.echo(json.dumps(entry, indent=1))
    if said["chain_id"] is None:
        click.echo(f"Next: kilochain init --home {said['home']} --genesis genesis.json")
