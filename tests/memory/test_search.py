import pytest

from memory.search import fuse


def test_ranks_are_fused_as_cormack_and_others_define_it() -> None:
    # Reciprocal rank fusion with k = 60: the sum of 1 / (60 + rank).
    assert fuse([[7, 8], [9, 7]]) == pytest.approx({7: 1 / 61 + 1 / 62, 8: 1 / 62, 9: 1 / 61})


def test_what_both_find_comes_before_what_one_finds() -> None:
    scores = fuse([[1, 2, 3, 4], [5, 6, 7, 4]])
    assert max(scores, key=lambda number: scores[number]) == 4


def test_nothing_found_is_nothing() -> None:
    assert fuse([[], []]) == {}
