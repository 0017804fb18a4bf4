"""When a checkpoint is final: witness, time-stamp and chain agree about its time.

Each clock alone can be wrong, late or bought. A checkpoint counts as final only when
a quorum of witnesses cosigned it, a time-stamping authority dated it and a final block
anchors it, all within one window. Clocks that contradict each other are never averaged
or left out: the checkpoint is in disagreement, and that is what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# The same as the badge policy's `clock_difference_seconds`.
WINDOW = timedelta(hours=6)


class State(StrEnum):
    """What the clocks over one checkpoint say together."""

    FINAL = "final"
    PENDING = "pending"
    DISAGREES = "disagrees"


@dataclass(frozen=True)
class Finality:
    """The state of one checkpoint, and why in words for people."""

    state: State
    words: str


def finality(
    *,
    cosigned: Sequence[datetime],
    quorum: int,
    stamped: datetime | None,
    mined: datetime | None,
    window: timedelta = WINDOW,
) -> Finality:
    """Judge the clocks over one checkpoint.

    Args:
        cosigned: when each known witness cosigned it; each witness once.
        quorum: how many witnesses must have; 0 means that none is named.
        stamped: time of its RFC 3161 token.
        mined: time of the final block that anchors its size and root.
        window: how far the clocks may be apart.
    """
    enough = 0 < quorum <= len(cosigned)
    clocks = [one for one in (stamped, mined) if one is not None]
    if len(clocks) > 1 and _spread(clocks) > window:
        words = f"time-stamp and chain are {_say(_spread(clocks))} apart"
        return Finality(State.DISAGREES, words)
    agreeing = [at for at in cosigned if _spread([at, *clocks]) <= window]
    if enough and len(agreeing) < quorum:
        far = max(_spread([at, *clocks]) for at in cosigned)
        words = f"a witness and the other clocks are {_say(far)} apart"
        return Finality(State.DISAGREES, words)
    missing = [] if enough else [_missing_witness(len(cosigned), quorum)]
    missing += [] if stamped else ["a time-stamp"]
    missing += [] if mined else ["a final block"]
    if missing:
        return Finality(State.PENDING, f"waits for {' and '.join(missing)}")
    # The witnesses nearest to the other clocks make the quorum.
    near = sorted(agreeing, key=lambda at: _spread([at, *clocks]))[:quorum]
    apart = _say(_spread([*near, *clocks]))
    words = f"witness, time-stamp and chain agree within {apart}"
    return Finality(State.FINAL, words)


def _spread(moments: Sequence[datetime]) -> timedelta:
    return max(moments) - min(moments)


def _missing_witness(count: int, quorum: int) -> str:
    if not quorum:
        return "a witness, and none is named"
    more = quorum - count
    return f"{more} more witnesses" if more > 1 else "a witness"


def _say(apart: timedelta) -> str:
    seconds = int(apart.total_seconds())
    if seconds < 600:  # noqa: PLR2004 - ten minutes
        return f"{seconds} s"
    if seconds < 172_800:  # noqa: PLR2004 - two days
        return f"{seconds / 3600:.1f} h"
    return f"{seconds // 86_400} days"
