"""What a node finds when it starts: its journal, and whether it may vote with it."""

from __future__ import annotations

import sys
from pathlib import Path

from node.journal import Journal, JournalDamaged


class StartRefused(Exception):  # noqa: N818 - the name says what happened
    """The node cannot start; the message says why and what to do."""


def require_assertions() -> None:
    """Refuse to run with assertions compiled away."""
    if sys.flags.optimize:
        raise StartRefused(
            "run Python without -O and PYTHONOPTIMIZE: the node needs its assertions"
        )


def open_journal(path: Path, height: int, recorded: int) -> tuple[Journal | None, str | None]:
    """The journal, or the reason to observe for ever under this key (PROTOCOL §7).

    `height`: the chain's head; `recorded`: the journal record number stored with it. A chain that
    is still empty may start a new journal.
    """
    advice = "this key must not vote again; replace it on chain"
    try:
        journal = Journal.open(path)
    except FileNotFoundError:
        if height == 0 and recorded == 0:
            return Journal.create(path), None
        return None, f"the journal {path} is missing: {advice}"
    except JournalDamaged as error:
        return None, f"the journal {path} is damaged ({error}): {advice}"
    if journal.last_record < recorded:
        found = journal.last_record
        journal.close()
        return None, f"the journal ends at record {found}, the chain saw {recorded}: {advice}"
    return journal, None
