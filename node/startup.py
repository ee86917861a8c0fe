"""What a node finds when it starts: its journal, and whether it may vote with it."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from consensus import journal_reach
from ledger.chain import Chain, SignatureCheck
from ledger.errors import GenesisError, LedgerError
from ledger.genesis import Genesis, parse_genesis
from ledger.leveldb_store import LevelDBStore
from node.journal import Journal, JournalDamaged, JournalUnknown, make_folder, write_file
from node.limits import DESCRIPTORS_MAX


class StartRefused(Exception):  # noqa: N818 - the name says what happened
    """The node cannot start; the message says why and what to do."""


class FormatRefused(StartRefused):
    """The home was written by another version; the message names the file."""


class HomeDamaged(StartRefused):
    """A file of the home cannot be used; the message names it."""


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
    except JournalUnknown as error:
        raise FormatRefused(f"the journal {path}: {error}") from error
    except JournalDamaged as error:
        return None, f"the journal {path} is damaged ({error}): {_ADVICE}"
    reason = older_journal(journal.last_record, recorded)
    if reason is not None:
        journal.close()
        return None, f"the journal {path} {reason}"
    if mark is not None and not mark.exists():
        write_file(mark, _MARK)
    return journal, None


_ADVICE = "this key must not vote again; replace it on chain"
_MARK = b"This home's validator key has a journal in data/. Without it the key must not vote.\n"


def read_genesis(path: Path) -> Genesis:
    """The home's genesis. Raises HomeDamaged."""
    try:
        return parse_genesis(path.read_bytes())
    except (OSError, GenesisError) as error:
        raise HomeDamaged(f"{path}: {error}") from error


def open_chain(
    path: Path, genesis: Genesis, check_signatures: SignatureCheck
) -> tuple[LevelDBStore, Chain]:
    """The chain in the folder `path`, made at a first start. Raises HomeDamaged, StoreCorrupted."""
    fresh = not (path / "CURRENT").exists()
    try:
        make_folder(path.parent)
        store = LevelDBStore(path, create=fresh)
    except OSError as error:
        raise HomeDamaged(f"{path}: {error}") from error
    try:
        # A first start that was cut short leaves a database without a single entry.
        if not store.scan(b"", b"", 1):
            Chain.create(store, genesis)
        return store, Chain.open(store, genesis, check_signatures)
    except (OSError, GenesisError) as error:
        store.close()
        raise HomeDamaged(f"{path}: {error}") from error
    except LedgerError as error:
        store.close()
        raise type(error)(error.code, f"{path}: {error}", error.field) from error


def older_journal(last: int, recorded: int) -> str | None:
    """Why a whole journal does not let its owner vote for ever, or None.

    `last`: the journal's last record number; `recorded`: the one stored with the chain's head.
    """
    if last >= recorded:
        return None
    return f"ends at record {last}, the chain saw {recorded}: {_ADVICE}"


def lost_blocks(records: Sequence[bytes], height: int) -> int | None:
    """The height that a chain which ends at `height` has to reach before a vote, or None.

    A chain that lost its newest blocks stands below what the journal knows. The votes at those
    heights may be gone from the journal, so nothing is signed before the blocks are back.
    """
    reach = journal_reach(records)
    return reach if height < reach else None


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
