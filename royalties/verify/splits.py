"""Every increment is split once, exactly, by the shares the license was sold with."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from colophon import records
from colophon.errors import ColophonError
from colophon.units import PPM, format_units, split_ppm
from marketplace.models import License
from royalties.models import Increment
from royalties.verify.finding import Finding

CHUNK = 500


def sums() -> Iterator[Finding]:
    """The parts of each increment sum to it (I1, I2)."""
    wrong = (
        Increment.objects.annotate(
            whole=F("fee_units") + F("usage_units"),
            parts=Coalesce(Sum("accruals__units"), 0),
        )
        .exclude(parts=F("whole"))
        .select_related("settlement", "license")
    )
    for row in wrong:
        words = f"{format_units(row.parts)} was split, {format_units(row.whole)} earned"
        yield Finding(_name(row), words)


def parts() -> Iterator[Finding]:
    """Each part is what largest remainder gives over the frozen shares."""
    rows = Increment.objects.select_related("settlement", "license").prefetch_related(
        "accruals__holder"
    )
    for row in rows.order_by("pk").iterator(chunk_size=CHUNK):
        shares = [(str(one["holder"]), int(one["ppm"])) for one in row.license.shares]
        if sum(ppm for _, ppm in shares) != PPM:
            continue  # told by `shares`
        right = split_ppm(row.units, shares)
        found = sorted(row.accruals.all(), key=lambda one: one.position)
        told = [(one.holder.code, one.ppm, one.units) for one in found]
        wanted = [(who, ppm, n) for (who, ppm), n in zip(shares, right, strict=True)]
        if told != wanted:
            yield Finding(_name(row), "is not split as its license says")


def shares() -> Iterator[Finding]:
    """The shares of a license are its agreement's, and its record names it (I5)."""
    rows = (
        License.objects.select_related("agreement", "asset", "entry")
        .prefetch_related("agreement__parts__holder", "agreement__parts__source")
        .order_by("pk")
    )
    for row in rows.iterator(chunk_size=CHUNK):
        frozen = [
            (one["holder"], one["role"], one["source"], one["ppm"])
            for one in row.shares
        ]
        agreed = [
            (
                part.holder.code,
                part.role,
                part.source.code if part.source else "",
                part.ppm,
            )
            for part in row.agreement.parts.all()
        ]
        if sum(one[3] for one in frozen) != PPM:
            yield Finding(row.code, f"its shares do not sum to {PPM} ppm")
        elif frozen != agreed:
            yield Finding(row.code, "its shares are not those of its agreement")
        if words := _record_problem(row):
            yield Finding(row.code, words)


def _record_problem(row: License) -> str:
    """Where the signed record differs from the row; empty when it does not."""
    if row.entry.envelope is None:
        return ""  # erased on request; its proof is left
    try:
        said = records.parse_license(_statement(row))
    except ColophonError as error:
        return f"its record cannot be read: {error}"
    if said.license != row.code or said.asset != row.asset.code:
        return "its record is about another license"
    if said.agreement != bytes(row.agreement.digest):
        return "its record names another agreement"
    frozen = {
        "price_units": row.price_units,
        "deposit_units": row.deposit_units,
        "rate_units": row.rate_units,
        "rate_per": row.rate_per,
    }
    for key, value in frozen.items():
        if said.terms.get(key) != value:
            return f"its record says another {key}"
    return ""


def _statement(row: License) -> dict[str, object]:
    from colophon.statement import Envelope, read_statement

    return read_statement(Envelope.from_json(row.entry.envelope or {}).payload)


def _name(row: Increment) -> str:
    return f"settlement {row.settlement.epoch}, {row.license.code}"
