"""What a node finds when it starts: its journal, and whether it may vote with it."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from consensus import journal_reach
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
    try:
        journal = Journal.open(path)
    except FileNotFoundError:
        if height > 0 or recorded > 0 or (mark is not None and mark.exists()):
            return None, f"the journal {path} is missing: {_ADVICE}"
        journal = Journal.create(path)
    except JournalDamaged as error:
        return None, f"the journal {path} is damaged ({error}): {_ADVICE}"
    reason = reason_to_observe(journal.last_record, journal.records, height, recorded)
    if reason is not None:
        journal.close()
        return None, reason
    if mark is not None and not mark.exists():
        write_file(mark, _MARK)
    return journal, None


_ADVICE = "this key must not vote again; replace it on chain"
_MARK = b"This home's validator key has a journal in data/. Without it the key must not vote.\n"


def reason_to_observe(
    last: int, records: Sequence[bytes], height: int, recorded: int
) -> str | None:
    """Why a whole journal does not let its owner vote beside this chain, or None.

    `last`: the journal's last record number; `height`, `recorded`: see `open_journal`. An older
    journal forgot promises for ever. An older chain only has to catch up with the journal.
    """
    if last < recorded:
        return f"the journal ends at record {last}, the chain saw {recorded}: {_ADVICE}"
    reach = journal_reach(records)
    if height < reach:
        return (
            f"the chain ends at height {height} and the journal knows {reach}: blocks were lost; "
            f"keep the journal, let this node follow, and start it again from height {reach} on"
        )
    return None


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
