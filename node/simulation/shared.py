"""What all hosts of one run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node.simulation.application import Ledgers
from node.simulation.checkers import Checkers
from node.simulation.machine import MachineFactory
from node.simulation.network import SimulatedNetwork
from node.simulation.signatures import SignatureRegister
from node.simulation.world import World

if TYPE_CHECKING:
    from node.simulation.host import Host


@dataclass(slots=True)
class Cluster:
    """What all hosts of one run share. `hosts` by unique name; several may have one peer ID."""

    world: World
    network: SimulatedNetwork
    register: SignatureRegister
    checkers: Checkers
    factory: MachineFactory
    ledgers: Ledgers
    hosts: dict[str, Host] = field(default_factory=dict)
    crash_permille: int = 0
    disk_error_permille: int = 0
    heartbeats: bool = True

    @property
    def chain_id(self) -> str:
        """The chain that all of them are about."""
        return self.ledgers.chain_id

    def at_peer(self, peer: str) -> list[Host]:
        """Every running host that answers to a peer ID, in the order of their creation."""
        return [host for host in self.hosts.values() if host.peer == peer and host.alive]

    def peers(self) -> tuple[str, ...]:
        """Every peer ID, in the order of creation."""
        return tuple(dict.fromkeys(host.peer for host in self.hosts.values()))
