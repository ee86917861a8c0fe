"""config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import (
    Config,
    ConfigError,
    LogConfig,
    P2PConfig,
    RPCConfig,
    load_config,
    render_config,
)
from node.config import (
    TestnetConfig as ControlConfig,
)


def test_a_rendered_config_reads_back(tmp_path: Path) -> None:
    config = Config(
        tmp_path,
        'the "first" node',
        P2PConfig("/ip4/127.0.0.1/tcp/4001", ("/ip4/127.0.0.1/tcp/4002/p2p/12D3KooW",)),
        RPCConfig("127.0.0.1:9000", "secret", ("kg.example.org", "v0")),
        LogConfig("debug", "json"),
        ControlConfig(True, -3_600_000),
    )
    (tmp_path / "config.toml").write_text(render_config(config))
    assert load_config(tmp_path) == config


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[log]\nlevel = 'loud'", "log.level"),
        ("[log]\ncolour = 'red'", "log.colour"),
        ("[rpc]\nlisten = 8645", "rpc.listen"),
        ("[rpc]\nlisten = 'nowhere'", "rpc.listen"),
        ("[rpc]\nlisten = '127.0.0.1:99999'", "rpc.listen"),
        ("[p2p]\nlisten = '/ip4/427.0.0.1/tcp/1'", "p2p.listen"),
        ("[p2p]\nlisten = '/ip4/127.0.0.1/tcp/99999'", "p2p.listen"),
        ("[rpc]\nhosts = 'kg.example.org'", "rpc.hosts"),
        ("[rpc]\nhosts = ['https://kg.example.org']", "rpc.hosts"),
        ("[rpc]\nhosts = ['KG.example.org']", "rpc.hosts"),
        ("[rpc]\nhosts = [7]", "rpc.hosts"),
        ("[p2p]\nlisten = 'tcp:1'", "p2p.listen"),
        ("[p2p]\nbootstrap = ['/ip4/127.0.0.1/tcp/1']", "p2p.bootstrap"),
        ("speed = 1", "speed"),
        ("[testnet]\nclock_offset_ms = 1", "testnet.clock_offset_ms"),
        ("[testnet]\ncontrol = true\nclock_offset_ms = true", "testnet.clock_offset_ms"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=key) as caught:
        load_config(tmp_path)
    assert "config.toml" in str(caught.value)
