"""Proofs about the state, on trees small enough to be built by hand."""

from hashlib import sha256

from ledger.state_proof import EMPTY, StateProof, leaf_hash, node_hash, path_of, root_of


def _leaf(key: bytes, value: bytes) -> bytes:
    return leaf_hash(path_of(key), sha256(value).digest())


def _two_that_part_at_once() -> tuple[bytes, bytes]:
    keys = [b"key/%d" % number for number in range(64)]
    low = next(key for key in keys if path_of(key)[0] < 128)
    return low, next(key for key in keys if path_of(key)[0] >= 128)


def test_an_empty_state_has_the_empty_root() -> None:
    assert root_of(b"anything", None, StateProof(())) == EMPTY


def test_a_single_entry_is_the_root() -> None:
    assert root_of(b"key", b"value", StateProof(())) == _leaf(b"key", b"value")


def test_the_next_bit_says_which_half() -> None:
    low, high = _two_that_part_at_once()
    root = node_hash(_leaf(low, b"a"), _leaf(high, b"b"))
    assert root_of(low, b"a", StateProof((_leaf(high, b"b"),))) == root
    assert root_of(high, b"b", StateProof((_leaf(low, b"a"),))) == root
    assert root_of(high, b"a", StateProof((_leaf(low, b"a"),))) != root


def test_another_leaf_in_the_way_shows_absence() -> None:
    low, high = _two_that_part_at_once()
    proof = StateProof((), (path_of(low), sha256(b"a").digest()))
    assert root_of(high, None, proof) == _leaf(low, b"a")


def test_a_leaf_elsewhere_shows_nothing() -> None:
    low, high = _two_that_part_at_once()
    there = StateProof((_leaf(low, b"a"),), (path_of(low), sha256(b"a").digest()))
    assert root_of(high, None, there) is None


def test_the_key_itself_does_not_show_its_own_absence() -> None:
    own = StateProof((), (path_of(b"key"), sha256(b"value").digest()))
    assert root_of(b"key", None, own) is None


def test_a_value_and_another_leaf_exclude_each_other() -> None:
    low, high = _two_that_part_at_once()
    proof = StateProof((), (path_of(low), sha256(b"a").digest()))
    assert root_of(high, b"b", proof) is None


def test_siblings_have_32_bytes_and_are_at_most_256() -> None:
    assert root_of(b"key", b"value", StateProof((b"short",))) is None
    assert root_of(b"key", b"value", StateProof((EMPTY,) * 257)) is None
    assert root_of(b"key", b"value", StateProof((EMPTY,) * 256)) is not None
