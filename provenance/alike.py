"""Works that a picture looks like: exact over stored prints, never proof.

PDQ or ISCC within 31 of 256 bits is strong, PDQ within 64 is possible; the answer is
always "looks like", never "is" (docs/adr/0013). Which of two came first is told by the
older evidence: when the log or a trusted clock first knew of the very file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from colophon import records, statement
from colophon.keys import Signer
from outbox.claims import Retry
from provenance.models import Asset, Findings, LookAlike, Print, StepFile
from provenance.prints import near

STRONG_BITS = 31
POSSIBLE_BITS = 64
METHODS = ("pdq-256", "pdq.turned", "pdq.crops", "iscc.image-256")
PATIENCE = timedelta(minutes=1)
WAIT_SECONDS = 1.0
ASKED_AT_ONCE = 500


@dataclass(frozen=True)
class Match:
    """One stored work that a print is near to."""

    findings: Findings
    bits: int

    @property
    def strong(self) -> bool:
        return self.bits <= STRONG_BITS


@dataclass(frozen=True)
class Look:
    """A finished search for look-alikes of one asset among works of others.

    Attributes:
        methods: the prints that were compared, such as ``pdq-256``.
        earlier: how many works within the strong distance have older evidence and
            were not cleared.
        nearest: the nearest of those with older evidence, if any is near.
        before: those counted in `earlier`, nearest first.
        after: works within the strong distance whose evidence is younger.
    """

    methods: tuple[str, ...]
    earlier: int
    nearest: Match | None
    before: tuple[Match, ...] = ()
    after: tuple[Match, ...] = ()


def look_for(findings: Findings) -> Look:
    """Search the works of others for look-alikes, and say which came first.

    A party's own works are not held against it, nor do they hide one of somebody else
    that is further away.

    Raises:
        Retry: an upload that came earlier is still being examined.
    """
    asset = findings.asset
    others = Asset.objects.filter(refused_reason="").exclude(party=asset.party_id)
    _wait_for_earlier(others.filter(created_at__lt=asset.created_at))
    since = (known_since(asset), asset.pk)
    pdq = findings.metadata.get("pdq") or {}
    asked = asked_of(findings)
    found = _matches(_bits_to(*asked), others)
    before = [one for one in found if _since(one) < since]
    cleared = set(
        LookAlike.objects.filter(asset=asset, cleared_at__isnull=False).values_list(
            "earlier", flat=True
        )
    )
    held = tuple(one for one in before if one.findings.asset_id not in cleared)
    if not before and pdq:
        before = [one for one in _possible(asked[0], others) if _since(one) < since]
    return Look(
        METHODS if pdq else METHODS[-1:],
        len(held),
        before[0] if before else None,
        held,
        tuple(one for one in found if _since(one) > since),
    )


def examination_of(
    asset: Asset, file: bytes, look: Look, signer: Signer
) -> statement.Envelope:
    """What a search found, as a signed record of its own.

    Args:
        file: SHA-256 of the sealed file.
    """
    return statement.sign(
        records.examination(
            asset=asset.code,
            file=file,
            # Whole seconds, as a verdict counts: it must not be made before this.
            examined_at=timezone.now().replace(microsecond=0),
            methods=look.methods,
            earlier_look_alikes=look.earlier,
        ),
        signer,
    )


def asked_of(findings: Findings) -> tuple[list[str], list[str]]:
    """The prints to search with: PDQ, then ISCC, hex."""
    pdq = findings.metadata.get("pdq") or {}
    asked = pdq.get("asked") or pdq.get("turned") or []
    return asked, findings.metadata.get("iscc_turned") or []


def known_since(asset: Asset) -> datetime:
    """When the log or a trusted clock first knew of the uploaded bytes.

    The record of a step that made them, a trusted time-stamp in the file's own intact
    credential, or else the upload. A run that does not name this very file is nothing:
    anybody can open one and wait.
    """
    times = [asset.created_at]
    step = (
        StepFile.objects.filter(
            digest=asset.uploaded_digest,
            relation=StepFile.Relation.OUTPUT,
            step__run__party=asset.party_id,
        )
        .order_by("step__received_at")
        .values_list("step__received_at", flat=True)
        .first()
    )
    if step is not None:
        times.append(step)
    findings = getattr(asset, "findings", None)
    said: dict[str, Any] = findings.metadata.get("credential") or {} if findings else {}
    if said.get("intact") and said.get("proven_at"):
        proven = parse_datetime(str(said["proven_at"]))
        if proven is not None and proven.tzinfo is not None:
            times.append(proven)
    return min(times)


def _since(match: Match) -> tuple[datetime, int]:
    asset = match.findings.asset
    return known_since(asset), asset.pk


def _wait_for_earlier(others: QuerySet[Asset]) -> None:
    """Whoever came first is found, even where the later one was examined sooner.

    For a while only: a file that cannot be examined must not hold up the others.
    """
    begun = timezone.now() - PATIENCE
    if others.filter(findings__isnull=True, created_at__gt=begun).exists():
        raise Retry("an earlier upload is still being examined", WAIT_SECONDS)


def _bits_to(pdq: Sequence[str], iscc: Sequence[str]) -> dict[int, int]:
    """Works within the strong distance by either print, and the least bits."""
    best = near(Print.Kind.PDQ, pdq, STRONG_BITS)
    for asset, bits in near(Print.Kind.ISCC, iscc, STRONG_BITS).items():
        best[asset] = min(bits, best.get(asset, bits))
    return best


def _possible(pdq: Sequence[str], among: QuerySet[Asset]) -> list[Match]:
    """Works that may look like it: a scan of all, so only where none is near."""
    return _matches(near(Print.Kind.PDQ, pdq, POSSIBLE_BITS), among)


def _matches(bits: dict[int, int], among: QuerySet[Asset]) -> list[Match]:
    """The works among those that the asker may hear of, nearest first, then oldest."""
    found = []
    keys = sorted(bits, key=lambda key: (bits[key], key))
    for begin in range(0, len(keys), ASKED_AT_ONCE):
        some = keys[begin : begin + ASKED_AT_ONCE]
        rows = Findings.objects.filter(asset__in=among.filter(pk__in=some))
        known = {row.asset_id: row for row in rows.select_related("asset")}
        found += [Match(known[key], bits[key]) for key in some if key in known]
    return found


def nearest(
    pdq: Sequence[str],
    iscc: Sequence[str] = (),
    *,
    exclude: int | None = None,
    among: QuerySet[Asset] | None = None,
) -> Match | None:
    """The stored work nearest to some prints, within 64 bits.

    Args:
        pdq: the picture's own print first, then those of its turns and crops, hex.
        iscc: of the picture and its turns.
        exclude: primary key of the asset that asks.
        among: works that the asker may hear of; None: all of them.
    """
    those = Asset.objects.all() if among is None else among
    if exclude is not None:
        those = those.exclude(pk=exclude)
    found = _matches(_bits_to(pdq, iscc), those) or _possible(pdq, those)
    return found[0] if found else None
