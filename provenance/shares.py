"""Who is named in a work, and the parts that an agreement may give them.

Pure arithmetic over rows: no writing. ppm are of the gross (DESIGN §5, Agreement).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import Holder
from accounts.platform import platform_party
from colophon.fields import Fields
from colophon.units import PPM
from provenance.errors import AgreementError
from provenance.models import AgreementPart, Asset, Source

Role = AgreementPart.Role
MAX_PARTS = 64


@dataclass(frozen=True)
class Part:
    """One holder's part, before it is a row."""

    holder: Holder
    role: str
    ppm: int
    source: Source | None = None


def used_sources(asset: Asset) -> list[Source]:
    """Every registered source that a step of the asset's run names, by id."""
    if asset.run is None:
        return []
    named = Source.objects.filter(stepfile__step__run=asset.run)
    models = Source.objects.filter(step__run=asset.run)
    data = Source.objects.filter(source__in=models)
    found = (named | models | data).distinct()
    return list(found.select_related("holder", "party").order_by("code"))


def default_parts(asset: Asset) -> list[Part]:
    """The fee, each source at its standing ask, and the rest to the creator."""
    fixed = [_platform(), *(_asked(source) for source in used_sources(asset))]
    rest = PPM - sum(part.ppm for part in fixed)
    if rest < 0:
        raise AgreementError(
            f"the sources ask for {PPM - rest} ppm with the fee, more than everything; "
            "talk to their owners or leave one out",
            "parts",
        )
    return [*fixed, Part(asset.party.holder, Role.CREATOR, rest)]


def parse_parts(asset: Asset, values: list[Any]) -> list[Part]:
    """The creators' parts of a request, completed with the fee and the sources.

    Args:
        values: `{"holder": id, "ppm": n}` for creators and
            `{"source": id, "ppm": n}` to give a source more than it asks.

    Raises:
        AgreementError: names the part: unknown, under the ask, or a wrong sum.
    """
    if len(values) > MAX_PARTS:
        raise AgreementError(f"has {len(values)}, at most {MAX_PARTS}", "parts")
    sources = {source.code: _asked(source) for source in used_sources(asset)}
    creators: list[Part] = []
    for at, value in enumerate(values):
        fields = Fields(value, f"parts/{at}")
        ppm = fields.integer("ppm", 0, PPM)
        if fields.has("source"):
            code = fields.text("source")
            sources[code] = _raised(sources.get(code), ppm, fields.at("source"))
        else:
            creators.append(Part(_holder(fields), Role.CREATOR, ppm))
        fields.close()
    parts = [_platform(), *sources.values(), *creators]
    check_sum(parts)
    return parts


def check_sum(parts: Iterable[Part]) -> None:
    """Refuse parts that do not sum to exactly 1,000,000 ppm."""
    total = sum(part.ppm for part in parts)
    if total != PPM:
        raise AgreementError(
            f"sum to {total} ppm with the fee and the sources, expected {PPM}; "
            f"{'add' if total < PPM else 'take away'} {abs(PPM - total)}",
            "parts",
        )


def _platform() -> Part:
    holder = platform_party().holder
    return Part(holder, Role.PLATFORM, settings.PLATFORM_FEE_PPM)


def _asked(source: Source) -> Part:
    return Part(source.holder, Role.SOURCE, source.ask_ppm or 0, source)


def _raised(part: Part | None, ppm: int, where: str) -> Part:
    if part is None or part.source is None:
        raise AgreementError("is not a source that a step of this work names", where)
    if ppm < part.ppm:
        raise AgreementError(f"is {ppm} ppm, but its owner asks for {part.ppm}", where)
    return Part(part.holder, part.role, ppm, part.source)


def _holder(fields: Fields) -> Holder:
    holder = Holder.objects.filter(code=fields.text("holder")).first()
    if holder is None:
        raise AgreementError("is not a holder that we know", fields.at("holder"))
    return holder
