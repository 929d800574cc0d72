"""Ranges of completion indexes: upstream's notation, and no cost that grows with what they span."""

import time

import pytest

from operators.core.job.indexes import Indexes


@pytest.mark.parametrize(
    ("text", "completions", "want_text", "want_count"),
    [
        pytest.param("", 10, "", 0, id="none"),
        pytest.param("0", 10, "0", 1, id="one"),
        pytest.param("3,4", 10, "3,4", 2, id="two neighbours have no dash"),
        pytest.param("1-3", 10, "1-3", 3, id="three have"),
        pytest.param("0,2,4-7", 10, "0,2,4-7", 6, id="gaps"),
        pytest.param("0-2,3-5", 10, "0-5", 6, id="ranges that touch are one"),
        pytest.param("0-9", 5, "0-4", 5, id="cut at the completions"),
        pytest.param("0,5-9", 5, "0", 1, id="left out beyond them"),
        pytest.param("0,x,3", 10, "0,3", 2, id="what is no number is passed over"),
        pytest.param("0,2-x,5", 10, "0,5", 2, id="half a range too"),
    ],
)
def test_reads_and_writes(text: str, completions: int, want_text: str, want_count: int) -> None:
    """What is read is written the shortest way, and counted."""
    indexes = Indexes.parse(text, completions)
    assert (str(indexes), len(indexes)) == (want_text, want_count)


@pytest.mark.parametrize(
    ("text", "new", "want"),
    [
        pytest.param("", [], "", id="nothing"),
        pytest.param("", [5, 1, 3], "1,3,5", id="in any order"),
        pytest.param("0-2,6-9", [3, 4, 5], "0-9", id="a gap closes"),
        pytest.param("2-4", [0], "0,2-4", id="before"),
        pytest.param("2-4", [3], "2-4", id="within"),
        pytest.param("2-4", [1, 5], "1-5", id="at both ends"),
    ],
)
def test_takes_further_indexes(text: str, new: list[int], want: str) -> None:
    """Indexes that are added join the ranges that they touch."""
    assert str(Indexes.parse(text, 100).with_(new)) == want


@pytest.mark.parametrize(
    ("text", "index", "want"),
    [
        pytest.param("", 0, False, id="none"),
        pytest.param("2-4,8", 2, True, id="first of a range"),
        pytest.param("2-4,8", 4, True, id="last of a range"),
        pytest.param("2-4,8", 8, True, id="alone"),
        pytest.param("2-4,8", 5, False, id="in a gap"),
        pytest.param("2-4,8", 9, False, id="beyond"),
    ],
)
def test_contains(text: str, index: int, want: bool) -> None:  # noqa: FBT001
    """An index is in one of the ranges or it is not."""
    assert (index in Indexes.parse(text, 100)) is want


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        pytest.param("0-9", "5-14", 5, id="overlap"),
        pytest.param("0-3", "4-9", 0, id="side by side"),
        pytest.param("0-9", "1,3,5-7", 5, id="within"),
        pytest.param("1,3,5", "0-9", 3, id="the other way round"),
    ],
)
def test_counts_what_two_have_in_common(a: str, b: str, want: int) -> None:
    """Indexes in both are counted."""
    assert Indexes.parse(a, 100).common(Indexes.parse(b, 100)) == want


@pytest.mark.parametrize(
    ("text", "count", "completions", "want"),
    [
        pytest.param("", 3, 10, [0, 1, 2], id="from the start"),
        pytest.param("0,2", 3, 10, [1, 3, 4], id="gaps first"),
        pytest.param("0-7", 5, 10, [8, 9], id="no more than there are"),
        pytest.param("0-9", 5, 10, [], id="none left"),
        pytest.param("5-99", 5, 3, [0, 1, 2], id="a range beyond the completions"),
    ],
)
def test_finds_the_first_that_are_missing(text: str, count: int, completions: int, want: list[int]) -> None:
    """The lowest indexes that are not there."""
    assert Indexes.parse(text, 100).first_missing(count, completions) == want


def test_costs_what_there_are_ranges() -> None:
    """With every other of 100,000 indexes done, one more costs milliseconds, not minutes."""
    many = Indexes(tuple((index, index) for index in range(0, 100_000, 2)))
    began = time.process_time()
    for index in range(1, 20, 2):
        many = many.with_([index])
    assert str(many).startswith("0-20,22")
    assert time.process_time() - began < 5
