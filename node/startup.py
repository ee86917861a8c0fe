"""What a node finds when it starts: its journal, and whether it may vote with it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from node.journal import Journal, JournalDamaged, write_file
from node.limits import DESCRIPTORS_MAX


class StartRefused(Exception):  # noqa: N818 - the name says what happened
    """The node cannot start; the message says why and what to do."""


def require_assertions() -> None:
    """Refuse to run with assertions compiled away."""
    if sys.flags.optimize:
        raise StartRefused(
            "run Python without -O and PYTHONOPTIMIZE: the node needs its assertions"
        )


def open_journal(
    path: Path, height: int, recorded: int, mark: Path | None = None
) -> tuple[Journal | None, str | None]:
    """The journal, or the reason to observe for ever under this key (PROTOCOL §7).

    `height`: the chain's head; `recorded`: the journal record number stored with it. A chain that
    is still empty may start a new journal, unless `mark`, a file outside the data, says that this
    key has had one: then data that may hold votes is lost. An observer has no mark.
    """
    advice = "this key must not vote again; replace it on chain"
    try:
        journal = Journal.open(path)
    except FileNotFoundError:
        if height > 0 or recorded > 0 or (mark is not None and mark.exists()):
            return None, f"the journal {path} is missing: {advice}"
        journal = Journal.create(path)
    except JournalDamaged as error:
        return None, f"the journal {path} is damaged ({error}): {advice}"
    if journal.last_record < recorded:
        found = journal.last_record
        journal.close()
        return None, f"the journal ends at record {found}, the chain saw {recorded}: {advice}"
    if mark is not None and not mark.exists():
        write_file(mark, _MARK)
    return journal, None


_MARK = b"This home's validator key has a journal in data/. Without it the key must not vote.\n"


def raise_descriptor_limit() -> int:
    """Let this process open as many files and sockets as it may; how many that is.

    Links, RPC clients and the store share one limit: where it is low, a crowd of clients would
    keep the journal from being opened.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return soft
