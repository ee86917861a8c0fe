"""Every testnet verb at a wrong moment: refused with a reason, or done without harm."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from whole_network import SEEDS, Net, cli, wait_until

from node.testnet import calls, control
from node.testnet.build import build
from node.testnet.errors import TestnetError
from node.testnet.layout import load_processes, save

pytestmark = pytest.mark.e2e


def _refused(folder: Path, *arguments: str) -> str:
    done = cli("testnet", *arguments, "--dir", str(folder))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def _alive(folder: Path) -> list[str]:
    return [row.name for row in control.status(folder) if row.state != "stopped"]


def test_wrong_verbs_are_refused_and_a_second_up_changes_nothing(shared_net: Net) -> None:
    folder = shared_net.folder
    before = load_processes(folder)
    assert "v0 is running already" in _refused(folder, "start", "v0")
    assert "there are v0, v1" in _refused(folder, "kill", "v9")
    assert "is not running" in _refused(folder, "kill", "o1")
    assert "v0,v1/v2,v3" in _refused(folder, "partition", "v0")
    again = cli("testnet", "up", "--dir", str(folder))
    assert (again.returncode, "running already" in again.stdout) == (0, True)
    assert load_processes(folder) == before


def test_a_second_process_on_a_home_is_refused_and_the_first_goes_on(shared_net: Net) -> None:
    home = shared_net.layout.node("v0").home
    second = cli("start", "--home", home)
    assert second.returncode == 1, second.stdout + second.stderr
    assert home in second.stderr
    assert "Traceback" not in second.stderr
    shared_net.commit("v0")


def test_down_and_down_again_and_up_goes_on_with_the_chain(net: Net) -> None:
    signed = net.commit("v0")
    assert control.down(net.folder) == 4
    assert control.down(net.folder) == 0
    assert control.up(net.folder, SEEDS / "consortium")[1]
    assert net.committed("v2", signed)
    assert cli("testnet", "clean", "--dir", str(net.folder)).returncode == 0
    assert not net.folder.exists()


def test_clean_refuses_a_folder_that_is_no_testnet(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    assert "no testnet" in _refused(tmp_path, "clean")
    assert "holds something else" in _refused(tmp_path, "up")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_port_that_somebody_took_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    layout = build(tmp_path, SEEDS / "consortium", 4, 0)
    save(tmp_path, layout)
    port = urlsplit(layout.node("v2").rpc).port
    with socket.create_server(("127.0.0.1", port or 0)):
        said = _refused(tmp_path, "up")
    assert "v2" in said
    assert str(port) in said
    assert _alive(tmp_path) == []


def test_an_interrupt_during_up_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    command = calls.command("testnet", "up", "--dir", str(folder))
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        processes_file = folder / "processes.json"
        wait_until(processes_file.exists, "a first node is started")
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    finally:
        running.kill()
        running.communicate()
    assert _alive(folder) == []
    assert control.up(folder, SEEDS / "consortium")[1]
    assert control.down(folder) == 4
    assert _alive(folder) == []


def test_verbs_without_a_testnet_say_how_to_make_one(tmp_path: Path) -> None:
    for verb in ("status", "down", "heal", "demo"):
        assert "`kilochain testnet up` makes one" in _refused(tmp_path, verb)
    with pytest.raises(TestnetError):
        control.start(tmp_path, "v0")
