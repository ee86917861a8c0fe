"""The language of directed scenarios, tried on a stand-in for one validator."""

import pytest
from stand_in import Alone

from node.simulation.transcript import ScenarioError, Transcript

STORY = """
replicas 1 plus 1
hold answer r0->r1      # the observer asks, and waits
submit all a
run 3s
expect committed a r0
expect pending a r1
deliver answer r0->r1
pass
stabilize 10s
expect same 1 r0,r1
"""


def test_a_story_runs_and_leaves_a_trace() -> None:
    trace = Transcript(Alone).run(STORY, "story")
    assert any("hold answer r0->r1" in line for line in trace)
    assert any("r1 applied 1" in line for line in trace)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("expect committed a r1", "not so at r1"),
        ("deliver commit *->*", "nothing of that kind is held"),
        ("crash r9", "no such replica: r9"),
        ("run 5", "a time is written"),
        ("drop commit r0", "a link is written"),
        ("hope", "no such command: hope"),
        ("expect luck", "no such expectation"),
    ],
)
def test_a_line_that_fails_is_named(line: str, message: str) -> None:
    text = f"replicas 1 plus 1\ndrop answer *->*\nsubmit all a\nrun 1s\n{line}"
    with pytest.raises(ScenarioError, match=f"story:5: .*{message}"):
        Transcript(Alone).run(text, "story")
