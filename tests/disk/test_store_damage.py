"""Random damage to a store's files: each read is the truth, or a failure that names the folder."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import StoreCorrupted
from ledger.leveldb_store import LevelDBStore

DAMAGES = int(os.environ.get("KILOCHAIN_DAMAGES", "200"))
FIRST_SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
ENTRIES = 300


def _truth(number: int) -> tuple[bytes, bytes]:
    return b"k%05d" % number, random.Random(number).randbytes(200)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store whose entries are in a table file: reopening moves them out of the log."""
    path = tmp_path_factory.mktemp("store") / "chain"
    with closing(LevelDBStore(path, create=True)) as store:
        for number in range(ENTRIES):
            store.write([_truth(number)])
    LevelDBStore(path, create=False).close()
    assert list(path.glob("*.ldb"))
    return path


def _damage(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    kind = chance.choice(("bit", "byte", "block"))
    if kind == "bit":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        data[at] ^= chance.randrange(1, 256)
    else:
        start = at - at % 512
        end = min(start + 512, len(data))
        data[start:end] = chance.randbytes(end - start)
    path.write_bytes(bytes(data))


def _outcome(path: Path) -> str:
    try:
        with closing(LevelDBStore(path, create=False)) as store:
            for key, value in map(_truth, range(ENTRIES)):
                assert store.get(key) == value, f"a wrong answer for {key!r}"
    except (StoreCorrupted, OSError) as error:
        return "refused" if str(path) in str(error) else f"nothing named: {error}"
    return "all true"


def test_damage_to_a_table_is_never_served(table: Path, tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + DAMAGES):
        chance = random.Random(seed)
        copy = tmp_path / f"copy-{seed}"
        shutil.copytree(table, copy)
        _damage(chance.choice(sorted(copy.glob("*.ldb"))), chance)
        outcomes[_outcome(copy)] += 1
        shutil.rmtree(copy)
    print(dict(outcomes))
    assert set(outcomes) <= {"refused", "all true"}
    assert outcomes["refused"] > DAMAGES // 4


def test_a_database_cut_off_in_its_first_moments_is_made_anew(tmp_path: Path) -> None:
    for name in ("MANIFEST-000001", "LOG", "LOCK", "000001.dbtmp", "000003.log"):
        (tmp_path / name).write_bytes(b"" if name.endswith("log") else b"cut")
    with closing(LevelDBStore(tmp_path, create=True)) as store:
        store.write([(b"key", b"value")])


def test_a_lost_current_is_never_taken_for_a_new_database(table: Path, tmp_path: Path) -> None:
    shutil.copytree(table, tmp_path / "chain")
    (tmp_path / "chain" / "CURRENT").unlink()
    for create in (True, False):
        with pytest.raises(StoreCorrupted, match=str(tmp_path)):
            LevelDBStore(tmp_path / "chain", create=create)
