"""`kilochain bench state`: what the state tree costs for each transaction, as the state grows."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger.codec import encode
from ledger.leveldb_store import LevelDBStore
from ledger.limits import BATCH_NO_MAX
from ledger.state import State, batch_key
from ledger.state_pages import Reader
from ledger.state_proof import EMPTY, root_of
from ledger.state_tree import StateTree, prove

KEYS_MIN = 10_000
KEYS_MAX = 10_000_000
BATCH_KEYS = 1_000  # of a measured block
FILL_KEYS = 10_000  # of a block between the measurements
MEASURED_BLOCKS = 30  # at each size
PROOFS = 200  # at each size
MINUTES_MAX = 24 * 60
_PRODUCER = "K77G"


@dataclass(frozen=True, slots=True)
class StateCost:
    """The cost for each key at one size of the state.

    Times in µs by the clock: `tree_us` reads pages and works out the new ones, `write_us` is the
    synced batch of values and pages, `prove_us` one proof from a snapshot. Processor time, which
    other programs change less: `tree_cpu_us` of the first, `cpu_us` of both, LevelDB's own thread
    included. `page_bytes`: written per key; `disk_bytes`: values and pages in the store per key in
    it; `siblings`, `proof_bytes`: mean of a proof of presence, siblings and value digest.
    """

    keys: int
    tree_us: float
    write_us: float
    tree_cpu_us: float
    cpu_us: float
    pages_read: float
    pages_written: float
    page_bytes: float
    disk_bytes: float
    siblings: float
    proof_bytes: float
    prove_us: float


class _Counting:
    """A reader that counts."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.reads = 0

    def get(self, key: bytes) -> bytes | None:
        self.reads += 1
        return self._reader.get(key)


@dataclass(slots=True)
class _Spent:
    tree_s: float = 0.0
    write_s: float = 0.0
    tree_cpu_s: float = 0.0
    cpu_s: float = 0.0
    reads: int = 0
    pages: int = 0
    page_bytes: int = 0


class _Growing:
    """A state on LevelDB that grows block by block, as `Chain.append` lets it grow."""

    def __init__(self, store: LevelDBStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._reader = _Counting(store)
        self._tree = StateTree(self._reader)
        self._root = EMPTY
        self._height = 0
        self.keys = 0

    def block(self, keys: int, spent: _Spent) -> None:
        """Register the next `keys` batches in one synced batch of writes."""
        self._height += 1
        state = State(self._store, self._tree, self._root)
        for index in range(keys):
            state.put(batch_key(_PRODUCER, self.keys + index), self._value(self.keys + index))
        reads, cpu = self._reader.reads, time.process_time()
        began, own_cpu = time.perf_counter(), time.thread_time()
        update = state.tree_update()
        worked_out = time.perf_counter()
        spent.tree_cpu_s += time.thread_time() - own_cpu
        self._store.write(state.store_writes())
        self._tree.keep(update)
        spent.write_s += time.perf_counter() - worked_out
        spent.tree_s += worked_out - began
        spent.cpu_s += time.process_time() - cpu
        spent.reads += self._reader.reads - reads
        spent.pages += len(update.writes)
        spent.page_bytes += sum(len(page or b"") for _, page in update.writes)
        self._root = update.root
        self.keys += keys

    def _value(self, number: int) -> bytes:
        tx_id = hashlib.sha256(number.to_bytes(4, "big")).digest()
        return encode([tx_id, 1 + number // BATCH_KEYS, number % BATCH_KEYS])

    def measure(self, blocks: int) -> StateCost:
        """The cost of `blocks` more blocks, and of proofs after them."""
        spent = _Spent()
        for _ in range(blocks):
            self.block(BATCH_KEYS, spent)
        keys = blocks * BATCH_KEYS
        siblings, prove_s = self._prove()
        size = sum(file.stat().st_size for file in self._folder.iterdir())
        return StateCost(
            keys=self.keys,
            tree_us=round(1e6 * spent.tree_s / keys, 1),
            write_us=round(1e6 * spent.write_s / keys, 1),
            tree_cpu_us=round(1e6 * spent.tree_cpu_s / keys, 1),
            cpu_us=round(1e6 * spent.cpu_s / keys, 1),
            pages_read=round(spent.reads / keys, 2),
            pages_written=round(spent.pages / keys, 2),
            page_bytes=round(spent.page_bytes / keys, 1),
            disk_bytes=round(size / self.keys, 1),
            siblings=round(siblings / PROOFS, 1),
            proof_bytes=round(32 * (siblings / PROOFS + 1), 1),
            prove_us=round(1e6 * prove_s / PROOFS, 1),
        )

    def _prove(self) -> tuple[int, float]:
        siblings, began = 0, time.perf_counter()
        for each in range(PROOFS):
            number = each * self.keys // PROOFS
            key = batch_key(_PRODUCER, number)
            with closing(self._store.snapshot()) as then:
                proof = prove(then, self._root, key)
            assert root_of(key, self._value(number), proof) == self._root
            siblings += len(proof.siblings)
        return siblings, time.perf_counter() - began


def bench_state(
    keys: int, minutes: float, say: Callable[[str], None] = lambda _: None
) -> list[StateCost]:
    """Grow a state to `keys` in a temporary folder; the cost at 10⁴, 10⁵ … and at the end.

    After `minutes` it stops growing and measures where it is.
    """
    assert KEYS_MIN <= keys <= min(KEYS_MAX, BATCH_NO_MAX)
    sizes = [size for size in (10**power for power in range(4, 8)) if size < keys] + [keys]
    folder = Path(tempfile.mkdtemp(prefix="kilochain-bench-"))
    deadline = time.monotonic() + 60 * minutes
    found: list[StateCost] = []
    try:
        with closing(LevelDBStore(folder / "chain", create=True)) as store:
            state = _Growing(store, folder / "chain")
            for size in sizes:
                say(f"growing to {size:,} keys ...")
                blocks = min(MEASURED_BLOCKS, max(1, (size - state.keys) // BATCH_KEYS // 2))
                while state.keys < size - blocks * BATCH_KEYS and time.monotonic() < deadline:
                    state.block(min(FILL_KEYS, size - blocks * BATCH_KEYS - state.keys), _Spent())
                found.append(state.measure(blocks))
                if time.monotonic() >= deadline:
                    break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def render(costs: list[StateCost]) -> str:
    """One line for each size, in µs, pages and bytes for each key."""
    rows = [asdict(cost) for cost in costs]
    head = "  ".join(f"{name:>13}" for name in rows[0])
    return "\n".join([head, *("  ".join(f"{cell:>13,}" for cell in row.values()) for row in rows)])
