"""What the clocks say about the log's checkpoints: final, pending or in disagreement.

A checkpoint is final only with witness, time-stamp and chain within one window
(colophon/finality.py); what contradicts itself is shown, never smoothed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from colophon.finality import Finality, State, finality
from log.models import Checkpoint
from log.models import Witness as Row
from log.witnesses import configured, cosigned, quorum
from provenance.models import Anchor

SEARCHED = 20


@dataclass(frozen=True)
class Head:
    """One checkpoint with its clocks.

    Attributes:
        size: number of entries.
        root: root hash, hex.
        made_at: when we signed it.
        stamped_at: time of its RFC 3161 token.
        mined_at: time of the final block that anchors it.
        cosigned: when each witness cosigned it, by name.
        finality: what these say together.
    """

    size: int
    root: str
    made_at: datetime
    stamped_at: datetime | None
    mined_at: datetime | None
    cosigned: dict[str, datetime]
    finality: Finality


@dataclass(frozen=True)
class Asked:
    """One witness and what became of asking it last.

    Attributes:
        trouble: why there was no cosignature the last time, for people.
        disagrees: it remembers another history of this log.
    """

    name: str
    vkey: str
    independent: bool
    size: int = 0
    cosigned_at: datetime | None = None
    trouble: str = ""
    disagrees: bool = False


def newest_heads(count: int) -> list[Head]:
    """The newest checkpoints, newest first."""
    return _heads(Checkpoint.objects.order_by("-size")[:count])


def newest_final() -> Head | None:
    """The newest final one among the newest anchored checkpoints."""
    anchored = Checkpoint.objects.filter(anchor__isnull=False).order_by("-size")
    found = _heads(anchored[:SEARCHED])
    return next((one for one in found if one.finality.state is State.FINAL), None)


def witnesses() -> list[Asked]:
    """The witnesses of the settings, each with what it answered last."""
    rows = {row.vkey: row for row in Row.objects.all()}
    found = []
    for place in configured():
        name, vkey = place.key.name, place.key.vkey
        row = rows.get(vkey)
        if row is None:
            found.append(Asked(name, vkey, place.independent))
            continue
        found.append(
            Asked(
                name=name,
                vkey=vkey,
                independent=place.independent,
                size=row.size,
                cosigned_at=row.cosigned_at,
                trouble=row.trouble,
                disagrees=row.disagrees,
            )
        )
    return found


def _heads(checkpoints: Iterable[Checkpoint]) -> list[Head]:
    rows, needed = list(checkpoints), quorum()
    anchors = Anchor.objects.filter(checkpoint__in=[row.pk for row in rows])
    mined = dict(anchors.values_list("checkpoint", "block_at"))
    found = []
    for row in rows:
        times, mined_at = cosigned(row.note), mined.get(row.pk)
        judged = finality(
            cosigned=list(times.values()),
            quorum=needed,
            stamped=row.timestamped_at,
            mined=mined_at,
        )
        found.append(
            Head(
                size=row.size,
                root=bytes(row.root).hex(),
                made_at=row.created_at,
                stamped_at=row.timestamped_at,
                mined_at=mined_at,
                cosigned=times,
                finality=judged,
            )
        )
    return found
