"""A node's home: its paths and config.toml, read once into a frozen value."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

PORT_MAX = 65_535
_LEVELS = ("debug", "info", "warning", "error")
_ADDRESS = re.compile(r"/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\d{1,5}(/p2p/[A-Za-z0-9]+)?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}")


class ConfigError(Exception):
    """A setting is wrong; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class P2PConfig:
    """`listen`: a multiaddr; `bootstrap`: full multiaddrs with /p2p/."""

    listen: str = "/ip4/0.0.0.0/tcp/8644"
    bootstrap: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RPCConfig:
    """`listen`: host:port; `token`: what a writer from beyond loopback has to present; `hosts`:
    names that clients reach the node by, beside its addresses."""

    listen: str = "127.0.0.1:8645"
    token: str | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogConfig:
    """`level`: debug, info, warning or error; `format`: terminal or json."""

    level: str = "info"
    format: str = "terminal"


@dataclass(frozen=True, slots=True)
class TestnetConfig:
    """`control`: whether the node obeys testnet-only calls (cutting links).

    `clock_offset_ms`: how wrong its wall clock shall be; only together with `control`.
    """

    control: bool = False
    clock_offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """Local settings of the node that lives in `home`; none of them is a consensus parameter."""

    home: Path
    name: str
    p2p: P2PConfig = field(default_factory=P2PConfig)
    rpc: RPCConfig = field(default_factory=RPCConfig)
    log: LogConfig = field(default_factory=LogConfig)
    testnet: TestnetConfig = field(default_factory=TestnetConfig)

    @property
    def genesis_path(self) -> Path:
        """The network's genesis."""
        return self.home / "genesis.json"

    @property
    def node_key_path(self) -> Path:
        """The libp2p identity."""
        return self.home / "keys" / "node.key"

    @property
    def validator_key_path(self) -> Path:
        """The voting key; validators only."""
        return self.home / "keys" / "validator.key"

    @property
    def chain_path(self) -> Path:
        """LevelDB."""
        return self.home / "data" / "chain"

    @property
    def journal_path(self) -> Path:
        """Votes that must survive."""
        return self.home / "data" / "journal" / "votes"

    @property
    def mark_path(self) -> Path:
        """Says, outside the data, that the validator key has had a journal."""
        return self.home / "keys" / "validator.voted"

    @property
    def evidence_path(self) -> Path:
        """One file per proven misbehaviour."""
        return self.home / "data" / "evidence"

    @property
    def lock_path(self) -> Path:
        """Held while a process runs on this home."""
        return self.home / "lock"


def identity_paths(config: Config) -> list[Path]:
    """The key files of a home: the node's, then the validator's if it has one."""
    found = [config.node_key_path, config.validator_key_path]
    return found[: 2 if config.validator_key_path.exists() else 1]


_SECTIONS: dict[str, dict[str, type]] = {
    "p2p": {"listen": str, "bootstrap": list},
    "rpc": {"listen": str, "token": str, "hosts": list},
    "log": {"level": str, "format": str},
    "testnet": {"control": bool, "clock_offset_ms": int},
}


def load_config(home: Path) -> Config:
    """Read `home`/config.toml; defaults for what it leaves out. Raises ConfigError."""
    path = home / "config.toml"
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"{path}: not there; `kilochain init --home {home}` makes it") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    name = document.pop("name", home.name)
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{path}: name must be a text")
    sections = {key: _section(path, key, value) for key, value in document.items()}
    p2p = dict(sections.get("p2p", {}))
    p2p["bootstrap"] = tuple(p2p.get("bootstrap", ()))
    rpc = dict(sections.get("rpc", {}))
    rpc["hosts"] = tuple(rpc.get("hosts", ()))
    config = Config(
        home,
        name,
        P2PConfig(**p2p),
        RPCConfig(**rpc),
        LogConfig(**sections.get("log", {})),
        TestnetConfig(**sections.get("testnet", {})),
    )
    _check(path, config)
    return config


def render_config(config: Config) -> str:
    """The config.toml that `load_config` reads back as `config`."""
    bootstrap = "".join(f"    {_quote(address)},\n" for address in config.p2p.bootstrap)
    token = "" if config.rpc.token is None else f"token = {_quote(config.rpc.token)}\n"
    listed = f"[\n{bootstrap}]" if bootstrap else "[]"
    offset = config.testnet.clock_offset_ms
    clock = f"clock_offset_ms = {offset}\n" if offset else ""
    hosts = ", ".join(_quote(host) for host in config.rpc.hosts)
    named = f"hosts = [{hosts}]\n" if hosts else ""
    return (
        f"name = {_quote(config.name)}\n\n"
        f"[p2p]\nlisten = {_quote(config.p2p.listen)}\nbootstrap = {listed}\n\n"
        f"[rpc]\nlisten = {_quote(config.rpc.listen)}\n{token}{named}\n"
        f"[log]\nlevel = {_quote(config.log.level)}\nformat = {_quote(config.log.format)}\n\n"
        f"[testnet]\ncontrol = {'true' if config.testnet.control else 'false'}\n{clock}"
    )


def _quote(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ConfigError("a setting cannot hold control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _section(path: Path, name: str, value: object) -> dict[str, Any]:
    known = _SECTIONS.get(name)
    if known is None or not isinstance(value, dict):
        raise ConfigError(f"{path}: unknown setting {name}")
    for key, setting in value.items():
        if key not in known:
            raise ConfigError(f"{path}: unknown setting {name}.{key}")
        if type(setting) is not known[key]:
            raise ConfigError(f"{path}: {name}.{key} must be a {known[key].__name__}")
    return value


def _check(path: Path, config: Config) -> None:
    if config.log.level not in _LEVELS:
        raise ConfigError(f"{path}: log.level must be one of {', '.join(_LEVELS)}")
    if config.log.format not in ("terminal", "json"):
        raise ConfigError(f"{path}: log.format must be terminal or json")
    if not _is_address(config.p2p.listen):
        raise ConfigError(f"{path}: p2p.listen must look like /ip4/0.0.0.0/tcp/8644")
    for address in config.p2p.bootstrap:
        matched = isinstance(address, str) and _is_address(address)
        if not matched or "/p2p/" not in address:
            raise ConfigError(f"{path}: p2p.bootstrap: {address!r} must end in /p2p/<peer ID>")
    if config.testnet.clock_offset_ms and not config.testnet.control:
        raise ConfigError(f"{path}: testnet.clock_offset_ms is for nodes with testnet.control only")
    listen = config.rpc.listen
    if not _LISTEN.fullmatch(listen) or int(listen.rpartition(":")[2]) > PORT_MAX:
        raise ConfigError(f"{path}: rpc.listen must look like 127.0.0.1:8645")
    for host in config.rpc.hosts:
        if not (isinstance(host, str) and _HOST.fullmatch(host)):
            raise ConfigError(
                f"{path}: rpc.hosts: {host!r} must be a name in lower case, without scheme or port"
            )


def _is_address(text: str) -> bool:
    """Whether a multiaddr has our form, and its host and TCP port exist."""
    if not _ADDRESS.fullmatch(text):
        return False
    family, host, _, port = text.split("/")[1:5]
    try:
        known = not family.startswith("ip") or f"ip{ip_address(host).version}" == family
    except ValueError:
        return False
    return known and int(port) <= PORT_MAX
