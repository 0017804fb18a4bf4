"""Find works for sale: filters on stored facets, newest first, keyset pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from colophon import policy
from marketplace.models import Facet, Listing, Offer
from provenance.models import Rendition

PAGE = 24
ORIGINS = ("CAPTURE", "HUMAN_MADE", "HYBRID", "AI", "ALGORITHMIC", "UNKNOWN")
BADGES = {
    "reviewed": policy.REVIEWED,
    "certified": policy.CERTIFIED,
    "credentialed": policy.CREDENTIALED,
    "declared": policy.DECLARED,
}
MAX_WORDS = 6
MAX_TEXT = 100
SHOWN = (Rendition.Kind.PREVIEW, Rendition.Kind.THUMBNAIL)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; several values of one filter mean any of them.

    Attributes:
        text: words that the title, the description or the maker must hold.
        badges: keys of BADGES.
        training: only works that allow training of generative models.
        cursor: of a page, as `Page.next_cursor` gave it.
    """

    text: str = ""
    origins: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    training: bool = False
    cursor: str = ""

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (
            self.text or self.origins or self.badges or self.uses or self.training
        )


@dataclass(frozen=True)
class Page:
    """One page of listings and the cursor of the next one; empty when it is last."""

    listings: list[Listing]
    next_cursor: str


def wanted(params: Mapping[str, Sequence[str]]) -> Wanted:
    """Read a query string: q, origin, badge, use, training, cursor.

    A value that makes no sense is left out rather than refused.
    """

    def known(name: str, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(one for one in values if one in params.get(name, ()))

    def last(name: str) -> str:
        found = params.get(name, ())
        return found[-1] if found else ""

    return Wanted(
        text=" ".join(last("q").replace("\x00", " ").split())[:MAX_TEXT],
        origins=known("origin", ORIGINS),
        badges=known("badge", tuple(BADGES)),
        uses=known("use", Offer.Use.values),
        training=last("training") == "1",
        cursor=last("cursor"),
    )


def find(want: Wanted) -> Page:
    """Live listings that match, newest first: two queries."""
    rows = _filtered(want)
    if position := _read_cursor(want.cursor):
        listed_at, pk = position
        rows = rows.filter(
            Q(listed_at__lt=listed_at) | Q(listed_at=listed_at, pk__lt=pk)
        )
    pictures = Prefetch("asset__renditions", Rendition.objects.filter(kind__in=SHOWN))
    found = list(
        rows.select_related("asset", "asset__party", "asset__origin_map")
        .prefetch_related(pictures)
        .order_by("-listed_at", "-pk")[: PAGE + 1]
    )
    more = len(found) > PAGE
    page = found[:PAGE]
    return Page(page, _cursor(page[-1]) if more else "")


def counts() -> dict[tuple[str, str], int]:
    """The stored number of live listings by (facet, value): one query."""
    rows = Facet.objects.values_list("name", "value", "count")
    return {(name, value): count for name, value, count in rows}


def _filtered(want: Wanted) -> QuerySet[Listing]:
    rows = Listing.objects.on_sale()
    for text in want.text.lower().split()[:MAX_WORDS]:
        rows = rows.filter(search_text__contains=text)
    if want.origins:
        rows = rows.filter(origin_class__in=want.origins)
    if want.badges:
        rows = rows.filter(badge_word__in=[BADGES[one] for one in want.badges])
    if want.uses:
        offered = Offer.objects.filter(
            listing=OuterRef("pk"), use__in=want.uses, withdrawn_at__isnull=True
        )
        rows = rows.filter(Exists(offered))
    if want.training:
        rows = rows.filter(training_allowed=True)
    return rows


def _cursor(listing: Listing) -> str:
    text = f"{listing.listed_at.isoformat()} {listing.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    """The position of a cursor; None when it is empty or not one of ours."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        moment, pk = raw.split(" ")
        found = datetime.fromisoformat(moment), int(pk)
    except (ValueError, binascii.Error):
        return None
    return found if found[0].tzinfo and 0 <= found[1] < 2**63 else None
