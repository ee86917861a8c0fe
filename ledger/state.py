"""State behind one small interface: get, put, the root after the writes, and what to store.

Values stand in the store under their keys; the tree over them (ledger/state_tree.py) is what the
root is of and what proofs are made from.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.state_pages import Reader
from ledger.state_tree import StateTree, TreeUpdate
from ledger.store import Store, Write

_PREFIX = b"s"
_READ_AT_ONCE = 1000  # entries


def batch_key(producer: str, batch_no: int) -> bytes:
    """The state key of a batch; keys sort by producer, then number."""
    return b"batch/" + producer.encode("ascii") + batch_no.to_bytes(4, "big")


class State:
    """The state under a block, with this block's writes on top. `root`: of what `tree` stores."""

    def __init__(self, store: Store, tree: StateTree, root: bytes) -> None:
        self._store = store
        self._tree = tree
        self._root = root
        self._writes: dict[bytes, bytes] = {}
        self._update: TreeUpdate | None = None

    def get(self, key: bytes) -> bytes | None:
        """The value, this block's writes first."""
        if key in self._writes:
            return self._writes[key]
        return stored_value(self._store, key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value."""
        self._writes[key] = value
        self._update = None

    def tree_update(self) -> TreeUpdate:
        """What the writes make of the tree. Raises StoreCorrupted."""
        if self._update is None:
            self._update = self._tree.update(self._root, list(self._writes.items()))
        return self._update

    def root(self) -> bytes:
        """The root of the tree after the writes, 32 bytes. Raises StoreCorrupted."""
        return self.tree_update().root

    def store_writes(self) -> list[Write]:
        """Values and pages of the tree as store entries. Raises StoreCorrupted."""
        values = [(_PREFIX + key, self._writes[key]) for key in sorted(self._writes)]
        return [*values, *self.tree_update().writes]


def stored_value(reader: Reader, key: bytes) -> bytes | None:
    """The value under `key`, or None."""
    return reader.get(_PREFIX + key)


def stored_entries(store: Store) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value of the state, in key order."""
    after = _PREFIX
    while found := store.scan(_PREFIX, after, _READ_AT_ONCE):
        yield from ((key[len(_PREFIX) :], value) for key, value in found)
        after = found[-1][0]


def stored_batches(store: Store, producer: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(batch number, value) of a producer's batches after number `after`, in order."""
    prefix = _PREFIX + b"batch/" + producer.encode("ascii")
    found = store.scan(prefix, prefix + after.to_bytes(4, "big"), limit)
    return [(int.from_bytes(key[len(prefix) :], "big"), value) for key, value in found]
