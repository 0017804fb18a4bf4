"""Every page of the site, as its URL conf lists them, with real ids where one is due.

`manage.py visit` asks for them all; a page that a new app adds is found by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLResolver, get_resolver

from accounts.models import ApiKey, SigningKey, Wallet
from colophon.policy import POLICY
from log.models import Checkpoint
from marketplace.models import License, Listing, Offer, Order
from provenance.models import Agreement, Asset, Case, Dispute, Rendition, Run, Source
from royalties.models import Payout, Settlement, UsageBatch

ARGUMENT = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
MOST = 24
# Routes whose rightful answer is no page: a link that works once and was not used.
NO_PAGE = ("download/<str:token>", "accounts/logout/")


# What a route is about when its words do not name the kind of row.
HINTS = {
    "sell/": "asset",
    "media/": "asset",
    "registry/": "source",
    "checkout": "offer",
    "trace": "payout",
    "policy": "name",
    "tile": "path",
}


@dataclass(frozen=True)
class Address:
    """One route of the site.

    Attributes:
        route: as the URL conf writes it, from the root.
        name: with its namespace.
    """

    route: str
    name: str

    @property
    def arguments(self) -> list[str]:
        """Names of what has to be filled in."""
        return [found["name"] for found in ARGUMENT.finditer(self.route)]

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")

    def filled(self, values: list[str]) -> str:
        """The path with its arguments, in order."""
        left = iter(values)
        return "/" + ARGUMENT.sub(lambda _: next(left), self.route)


def addresses() -> list[Address]:
    """Every route of the URL conf; the ones by regular expression are left out."""
    found = _walk(get_resolver(), "", "")
    return sorted(
        (one for one in found if one.route not in NO_PAGE), key=lambda one: one.route
    )


def _walk(resolver: URLResolver, before: str, space: str) -> Iterator[Address]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one, route, inner)
        elif not set("^$(\\") & set(route):
            yield Address(route, f"{space}{one.name or route}")


def known() -> dict[str, list[str]]:
    """Ids of the rows that exist, by kind."""
    codes = {
        "asset": Asset,
        "source": Source,
        "run": Run,
        "agreement": Agreement,
        "dispute": Dispute,
        "case": Case,
        "listing": Listing,
        "offer": Offer,
        "order": Order,
        "license": License,
        "batch": UsageBatch,
        "settlement": Settlement,
        "payout": Payout,
    }
    found = {
        kind: list(model.objects.values_list("code", flat=True)[:MOST])  # type: ignore[attr-defined]
        for kind, model in codes.items()
    }
    digests = Rendition.objects.filter(kind="sealed").values_list("digest", flat=True)
    found["sha256"] = [bytes(one).hex() for one in digests[:MOST]]
    found["epoch"] = [
        str(one) for one in Settlement.objects.values_list("epoch", flat=True)[:MOST]
    ]
    found["key"] = list(SigningKey.objects.values_list("key_id", flat=True)[:5])
    found["prefix"] = list(ApiKey.objects.values_list("prefix", flat=True)[:5])
    found["address"] = list(Wallet.objects.values_list("address", flat=True)[:5])
    found["size"] = [
        str(one) for one in Checkpoint.objects.values_list("size", flat=True)[:5]
    ]
    found["name"] = [POLICY.id]
    found["path"] = ["0/000"]  # the log's first full tile
    return found


def named(address: Address, kinds: dict[str, list[str]]) -> list[str]:
    """Kinds of row that the words of a route name."""
    words = f"{address.name} {address.route}".lower()
    hinted = {kind for word, kind in HINTS.items() if word in words}
    return [kind for kind in kinds if kind in words or kind in hinted]


def likely(address: Address, kinds: dict[str, list[str]]) -> list[str]:
    """Kinds with rows that a route may be about, the ones it names first."""
    first = named(address, kinds)
    return sorted(
        (kind for kind, values in kinds.items() if values),
        key=lambda kind: (kind not in first, kind),
    )
