"""Replicas on one simulated network, each with its own ledger, built but not started."""

from __future__ import annotations

import hashlib

from consensus.interface import Block, Header, Validator
from node.simulation.application import LedgersFactory, ToyLedgers
from node.simulation.checkers import Checkers
from node.simulation.host import Host
from node.simulation.machine import MachineFactory
from node.simulation.network import SimulatedNetwork
from node.simulation.shared import Cluster
from node.simulation.signatures import KeyRing, SignatureRegister
from node.simulation.world import World


def make_cluster(
    world: World,
    validators: int,
    extra: int,
    factory: MachineFactory,
    ring: KeyRing,
    ledgers: LedgersFactory = ToyLedgers,
) -> Cluster:
    """Hosts r0 … of which the first `validators` vote; `extra` more that a set change may admit."""
    register = SignatureRegister(ring)
    checkers = Checkers(world, register)
    network = SimulatedNetwork(world)
    known = _known(validators + extra, ring)
    made = ledgers(known[:validators], known, Formats(ring))
    cluster = Cluster(world, network, register, checkers, factory, made)
    for each in known:
        Host(cluster, each.name, each.peer, each.key, made.new())
    return cluster


class Formats:
    """The `Environment` of somebody who only verifies."""

    def __init__(self, ring: KeyRing) -> None:
        self.verify = ring.verify

    def sign(self, message: bytes) -> bytes:
        """See `consensus.interface.Environment`."""
        raise NotImplementedError("an auditor signs nothing")

    def read_header(self, data: bytes) -> Header:
        """See `consensus.interface.Environment`."""
        raise NotImplementedError("an auditor reads no frames")

    def read_block(self, data: bytes) -> Block:
        """See `consensus.interface.Environment`."""
        raise NotImplementedError("an auditor reads no frames")


def add_twin(cluster: Cluster, original: Host) -> Host:
    """A second process under the key and peer ID of `original`, with a disk of its own."""
    app = cluster.ledgers.new()
    return Host(cluster, original.name + "'", original.peer, original.key, app)


def _known(count: int, ring: KeyRing) -> tuple[Validator, ...]:
    seeds = [hashlib.sha256(f"replica {index}".encode()).digest() for index in range(count)]
    return tuple(
        Validator(f"r{index}", ring.public(seed), f"peer{index}")
        for index, seed in enumerate(seeds)
    )
