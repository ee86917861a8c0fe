"""What `chain.why` says of the states that a network can be in."""

from __future__ import annotations

from dataclasses import replace

from consensus.interface import ReplicaStatus
from node.rpc.diagnosis import Scene, WhyValidator, diagnose

STATUS = ReplicaStatus(
    epoch=1,
    view=0,
    mode="active",
    head=7,
    head_digest=bytes(32),
    primary=0,
    index=2,
    n=4,
    f=1,
    quorum=3,
    observe=None,
    prepares=(),
    commits=(),
    view_changes=(),
    timer_ms=None,
    syncing=False,
    heads=(("peer", 9),),
)
ROWS = [WhyValidator(index, f"v{index}", True, 7, False, False, None) for index in range(4)]


def cut(*indexes: int) -> list[WhyValidator]:
    return [
        WhyValidator(each.index, each.name, False, each.height, False, False, None)
        if each.index in indexes
        else each
        for each in ROWS
    ]


def test_an_idle_network_waits_for_nothing() -> None:
    assert diagnose(Scene(STATUS, ROWS, 0)) == (["nothing: no transaction is waiting"], [])


def test_missing_links_name_the_validators_and_say_what_to_do() -> None:
    found, advice = diagnose(Scene(STATUS, cut(1, 3), 5))
    assert "reaches 2 of 4" in found[0]
    assert "v1, v3" in found[0]
    assert "start v1, v3" in advice[0]


def test_one_missing_link_is_no_reason_as_long_as_a_quorum_is_there() -> None:
    assert diagnose(Scene(STATUS, cut(3), 0))[0] == ["nothing: no transaction is waiting"]


def test_a_silent_or_absent_primary_is_named() -> None:
    assert "v0 has to propose" in diagnose(Scene(STATUS, ROWS, 2))[0][0]
    found, advice = diagnose(Scene(STATUS, cut(0), 2))
    assert "v0 is not connected" in found[0]
    assert advice == ["start v0"]


def test_missing_votes_are_named_by_phase() -> None:
    prepared = replace(STATUS, prepares=(0, 2))
    assert "PREPARE is missing from v1, v3" in diagnose(Scene(prepared, ROWS, 2))[0][0]
    committed = replace(prepared, commits=(2,))
    assert "COMMIT is missing from v0, v1, v3" in diagnose(Scene(committed, ROWS, 2))[0][0]
    whole = replace(prepared, commits=(0, 1, 2))
    assert "being written" in diagnose(Scene(whole, ROWS, 2))[0][0]


def test_a_view_change_names_who_does_not_want_it_yet_and_then_its_primary() -> None:
    early = replace(STATUS, mode="changing", view=5, primary=1, view_changes=((2, 5), (3, 4)))
    assert "1 do, not v0, v1, v3" in diagnose(Scene(early, ROWS, 2))[0][0]
    late = replace(early, view_changes=((0, 6), (2, 5), (3, 5)))
    assert diagnose(Scene(late, ROWS, 2))[0] == [
        "v1, the primary of view 5, has to send its NEW-VIEW"
    ]


def test_a_validator_that_observes_says_why_first() -> None:
    found, advice = diagnose(Scene(replace(STATUS, observe="its journal is lost"), cut(1, 3), 0))
    assert found[0] == "this node does not vote: its journal is lost"
    assert "docs/operations.md" in advice[0]


def test_who_is_behind_is_named_also_when_it_is_this_node() -> None:
    assert (
        "it is at 7, peers claim 9" in diagnose(Scene(replace(STATUS, syncing=True), ROWS, 0))[0][0]
    )
    rows = [*ROWS[:3], WhyValidator(3, "v3", True, 4, False, False, None)]
    assert diagnose(Scene(STATUS, rows, 0))[0] == ["behind this node: v3 (at 4)"]
