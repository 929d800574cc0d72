"""Numbers and percentages."""

import pytest

from operators.core.rounding import fenceposts, scaled


@pytest.mark.parametrize(
    ("value", "total", "round_up", "want"),
    [
        pytest.param(3, 10, True, 3, id="a number is itself"),
        pytest.param(20, 10, False, 20, id="a number may exceed the total"),
        pytest.param("25%", 10, True, 3, id="a percentage rounds up"),
        pytest.param("25%", 10, False, 2, id="a percentage rounds down"),
        pytest.param("100%", 7, True, 7, id="all of it"),
        pytest.param("200%", 7, True, 14, id="twice of it"),
        pytest.param("1%", 0, True, 0, id="a share of nothing"),
        pytest.param(None, 10, True, 0, id="nothing said"),
    ],
)
def test_scaled(value: int | str | None, total: int, round_up: bool, want: int) -> None:  # noqa: FBT001
    """A number stays as it is, a percentage becomes its share, rounded as asked."""
    assert scaled(value, total, round_up=round_up) == want


def test_what_is_no_percentage_is_refused() -> None:
    """A string without a percent sign names itself in the error."""
    with pytest.raises(ValueError, match="'5'"):
        scaled("5", 10, round_up=True)


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "want"),
    [
        pytest.param("25%", "25%", 10, (3, 2), id="defaults"),
        pytest.param("25%", "25%", 1, (1, 0), id="defaults for one"),
        pytest.param(0, 0, 10, (0, 1), id="both nothing"),
        pytest.param(0, "1%", 10, (0, 1), id="both come to nothing"),
        pytest.param(None, None, 10, (0, 1), id="both missing"),
        pytest.param(1, 0, 10, (1, 0), id="only surge"),
        pytest.param("1%", "1%", 10, (1, 0), id="surge rounds up"),
    ],
)
def test_fenceposts(
    surge: int | str | None, unavailable: int | str | None, desired: int, want: tuple[int, int]
) -> None:
    """Surge rounds up, unavailable down, and one of the two is never 0."""
    assert fenceposts(surge, unavailable, desired) == want
