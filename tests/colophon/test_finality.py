"""Final is what witness, time-stamp and chain say together, and nothing less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from colophon.finality import WINDOW, State, finality
from colophon.policy import POLICY

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOON = NOON + timedelta(minutes=3)
LATE = NOON + WINDOW + timedelta(seconds=1)


def test_the_window_is_that_of_the_badge_policy() -> None:
    assert POLICY.thresholds["clock_difference_seconds"] == WINDOW.total_seconds()


def test_all_three_within_the_window_are_final() -> None:
    found = finality(cosigned=[SOON], quorum=1, stamped=NOON, mined=SOON)
    assert found.state is State.FINAL
    assert "agree within 180 s" in found.words


@pytest.mark.parametrize("there", list(product([False, True], repeat=3)))
def test_each_of_the_three_is_needed(there: tuple[bool, bool, bool]) -> None:
    witness, stamp, block = there
    found = finality(
        cosigned=[NOON] if witness else [],
        quorum=1,
        stamped=NOON if stamp else None,
        mined=NOON if block else None,
    )
    assert (found.state is State.FINAL) is all(there)
    assert ("a witness" in found.words) is not witness or all(there)
    assert ("a time-stamp" in found.words) is not stamp
    assert ("a final block" in found.words) is not block


@pytest.mark.parametrize(
    ("cosigned", "stamped", "mined", "words"),
    [
        ([NOON], NOON, LATE, "time-stamp and chain are 6.0 h apart"),
        ([], NOON, LATE, "time-stamp and chain"),
        ([LATE], NOON, NOON, "a witness and the other clocks"),
        ([LATE], NOON, None, "a witness and the other clocks"),
        ([NOON - timedelta(days=9)], None, NOON, "9 days apart"),
    ],
)
def test_clocks_that_contradict_each_other_are_never_final(
    cosigned: list[datetime],
    stamped: datetime | None,
    mined: datetime | None,
    words: str,
) -> None:
    found = finality(cosigned=cosigned, quorum=1, stamped=stamped, mined=mined)
    assert found.state is State.DISAGREES
    assert words in found.words


def test_a_quorum_holds_although_one_witness_is_wrong() -> None:
    three = [NOON, SOON, NOON - timedelta(days=400)]
    found = finality(cosigned=three, quorum=2, stamped=NOON, mined=NOON)
    assert found.state is State.FINAL
    found = finality(cosigned=three, quorum=3, stamped=NOON, mined=NOON)
    assert found.state is State.DISAGREES
    found = finality(cosigned=three[:1], quorum=3, stamped=NOON, mined=NOON)
    assert (found.state, found.words) == (State.PENDING, "waits for 2 more witnesses")


def test_without_a_named_witness_nothing_is_final() -> None:
    found = finality(cosigned=[NOON], quorum=0, stamped=NOON, mined=NOON)
    assert found.state is State.PENDING
    assert "none is named" in found.words
