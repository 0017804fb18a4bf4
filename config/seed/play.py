"""The seeding from the first account to the last payout, in the order of the loop.

Everything that the site does on its own (examining, signing, anchoring, judging,
minting, issuing, delivering, settling, paying) is left to its workers and waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from config.seed import buying, disputing, samples, selling, sources, using
from config.seed.making import Studio, studio
from config.seed.people import Person, everybody
from config.seed.works import BY_KEY, WORKS, Work
from log.models import Checkpoint, Entry
from marketplace.models import License, Listing
from provenance.models import Asset
from royalties.models import Payout, Settlement, UsageBatch

PATIENCE_SECONDS = 240.0
POLL_SECONDS = 0.25
Say = Callable[[str], None]


class SeedError(Exception):
    """Something that the seeding waited for did not happen."""


@dataclass
class Play:
    """What the acts share.

    Attributes:
        say: told one line for each act.
        has_chain: without one nothing can be sold.
    """

    say: Say
    has_chain: bool
    people: dict[str, Person] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    ordered: set[buying.Purchase] = field(default_factory=set)
    began_at: datetime = field(default_factory=timezone.now)

    @property
    def covers_from(self) -> datetime:
        """Licenses of the demo cover the year before it was made."""
        return self.began_at - timedelta(days=using.DAYS + 1)

    def act(self, words: str, play: Callable[[], None]) -> None:
        """Play one act and say how long it took."""
        begun = time.monotonic()
        play()
        self.say(f"{words} ({time.monotonic() - begun:.1f} s)")

    def open_accounts(self) -> None:
        """People, wallets, keys, sources; test money is asked for early."""
        self.people = everybody()
        sources.register(self.people)
        makers = {work.by for work in WORKS if work.recorded}
        sources.enroll(self.people, settings.SITE_URL, makers)
        if self.has_chain:
            buying.fund(self.people)
        wanted = Entry.objects.count()
        wait_for(
            "a checkpoint over the enrollments",
            lambda: Checkpoint.objects.filter(size__gte=wanted).exists(),
        )

    def make_works(self) -> None:
        """Draw, record and upload; agree, publish and sell what is sealed meanwhile."""
        place = studio(settings.SITE_URL, self.people)
        for work in WORKS:
            if work.fate == "last":
                continue
            if work.uses:
                self._await_sealed(work.uses)
                selling.register_picture(self.assets[work.uses])
            self.assets[work.key] = place.make(work, self.assets)
            self._offer_what_is_sealed()
        for work in WORKS:
            if work.fate not in {"refused", "last"}:
                self._await_sealed(work.key)
                self._offer_what_is_sealed()
        if self.has_chain:
            wait_for("the buyers' test money", buying.funded)
            self._sell()

    def _sell(self) -> None:
        """Order what is on sale, as far as the buyers have their money."""
        if not (self.has_chain and buying.funded()):
            return
        for purchase in buying.purchases():
            asset = self.assets.get(purchase.work)
            listing = asset and Listing.objects.filter(asset=asset).first()
            if listing and purchase not in self.ordered:
                buying.buy(purchase, listing, self.people)
                self.ordered.add(purchase)

    def wait_for_licenses(self) -> None:
        """Every order is paid and its license issued."""

        def issued() -> bool:
            if why := buying.failed():
                raise SeedError(f"an order failed: {why}")
            return License.objects.count() >= len(self.ordered)

        wait_for("the licenses", issued)

    def download(self) -> None:
        """Buyers have their copies, so that what they paid is earned."""
        wait_for("the buyers' copies", buying.copies_ready)
        buying.download()

    def make_samples(self) -> None:
        """The files to try Verify with."""
        var = Path(settings.VAR_DIR)
        samples.make(
            self.assets["night-current"],
            var / "demo",
            var / "secrets" / "stranger",
        )

    def use(self, *, first: bool) -> None:
        """Most of the year's uses, or the rest of them; until they are counted."""
        told = using.year(buying.licenses(), self.began_at)
        using.report(told, first=first)
        wait_for(
            "the uses to be counted",
            lambda: not UsageBatch.objects.filter(recorded_at=None).exists(),
        )

    def wait_for_payouts(self) -> None:
        """A settlement has matured and its holders are paid."""
        wait_for(
            "a settlement",
            lambda: Settlement.objects.filter(state="matured").exists(),
        )
        wait_for("the payouts", lambda: Payout.objects.filter(state="paid").exists())

    def judged(self) -> None:
        """Every published work has a verdict, and with a chain one that is active."""

        def done() -> bool:
            rows = Asset.objects.filter(published_at__isnull=False)
            found = [row.verdicts.first() for row in rows]
            return all(
                one is not None and (not self.has_chain or one.standing != "pending")
                for one in found
            )

        wait_for("the verdicts", done)

    def dispute(self) -> None:
        """Somebody objects to two works; one objection was upheld."""
        for work in WORKS:
            asset = self.assets.get(work.key)
            if asset is None:
                continue
            if work.fate == "contested":
                disputing.open_dispute(asset, self.people["yuki"])
            if work.fate == "suspended":
                disputing.uphold(asset, self.people["ines"], self.people)

    def publish_last(self) -> None:
        """One work whose anchor is on the way when the visitor comes."""
        place: Studio = studio(settings.SITE_URL, self.people)
        for work in WORKS:
            if work.fate == "last":
                self.assets[work.key] = place.make(work, self.assets)
                self._await_sealed(work.key)
        self._offer_what_is_sealed()

    def _await_sealed(self, key: str) -> None:
        wait_for(
            f"the seal of {key}",
            lambda: Asset.objects.filter(
                pk=self.assets[key].pk, seal__isnull=False
            ).exists(),
        )

    def _offer_what_is_sealed(self) -> None:
        mine = {row.pk: key for key, row in self.assets.items()}
        rows = Asset.objects.filter(
            pk__in=mine, seal__isnull=False, published_at__isnull=True
        )
        for row in rows:
            work: Work = BY_KEY[mine[row.pk]]
            if work.fate == "draft":
                continue
            selling.agree(work, row, self.people)
            if work.fate != "waiting":
                selling.publish(work, row, self.covers_from)
        self._sell()


def wait_for(what: str, ask: Callable[[], bool]) -> None:
    """Ask until the answer is yes.

    Raises:
        SeedError: it never was.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if ask():
            return
        time.sleep(POLL_SECONDS)
    raise SeedError(f"{what} did not come within {PATIENCE_SECONDS:.0f} s")
