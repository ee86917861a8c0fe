"""Replicas on one simulated network, each with its own ledger, built but not started."""

from __future__ import annotations

import hashlib

from consensus.interface import Validator
from node.simulation.application import ToyLedger
from node.simulation.checkers import Checkers
from node.simulation.host import Cluster, Host
from node.simulation.machine import MachineFactory
from node.simulation.network import SimulatedNetwork
from node.simulation.signatures import KeyRing, SignatureRegister
from node.simulation.world import World


def make_cluster(
    world: World, validators: int, extra: int, factory: MachineFactory, ring: KeyRing
) -> Cluster:
    """Hosts r0 … of which the first `validators` vote; `extra` more that a set change may admit."""
    register = SignatureRegister(ring)
    checkers = Checkers(world, register)
    network = SimulatedNetwork(world)
    cluster = Cluster(world, network, register, checkers, factory, "simulated-0000000000000000")
    known = _known(validators + extra, ring)
    for each in known:
        Host(cluster, each.name, each.peer, each.key, ToyLedger(known[:validators], known))
    return cluster


def add_twin(cluster: Cluster, original: Host) -> Host:
    """A second process under the key and peer ID of `original`, with a disk of its own."""
    validators = original.app.head.validators
    known = _known(len(cluster.hosts), cluster.register.ring)
    app = ToyLedger(validators, known)
    return Host(cluster, original.name + "'", original.peer, original.key, app)


def _known(count: int, ring: KeyRing) -> tuple[Validator, ...]:
    seeds = [hashlib.sha256(f"replica {index}".encode()).digest() for index in range(count)]
    return tuple(
        Validator(f"r{index}", ring.public(seed), f"peer{index}")
        for index, seed in enumerate(seeds)
    )
