"""Each directed scenario is a text beside this file; this runs them all.

A failing one prints the line that does not hold; `-rA` or a failure shows its trace.
"""

from pathlib import Path

import pytest

from node.simulation.transcript import Transcript

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.stem for path in SCENARIOS])
def test_the_scenario_holds(path: Path) -> None:
    transcript = Transcript()
    try:
        transcript.run(path.read_text(), path.name)
    finally:
        print("\n".join(transcript.trace[-400:]))


def test_every_scenario_says_which_mistake_it_catches() -> None:
    assert len(SCENARIOS) >= 30
    for path in SCENARIOS:
        assert "mistake" in path.read_text(), path.name
