"""A deterministic simulator around the real replica: one seed, one run, one trace.

The replica, its frames and its certificates are real; clock, disk, network and keys are simulated,
and some replicas lie. `run_simulation` runs one seed, `simulate_range` many.
"""

from node.simulation.result import SimulationResult
from node.simulation.runner import run_simulation, simulate_range

__all__ = ["SimulationResult", "run_simulation", "simulate_range"]
