"""Works for sale and the licenses issued for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Party, User
from chain.models import Intent
from colophon.ids import new_id
from log.models import Entry
from provenance.models import Agreement, Asset


def listing_id() -> str:
    """Public id of a listing."""
    return new_id("lst")


def offer_id() -> str:
    """Public id of an offer."""
    return new_id("ofr")


def order_id() -> str:
    """Public id of an order."""
    return new_id("ord")


def license_id() -> str:
    """Public id of a license."""
    return new_id("lic")


def refund_id() -> str:
    """Public id of a refund."""
    return new_id("rfd")


def charging_time() -> timedelta:
    """How long after a refund's request what was used before it may be settled.

    A settlement that takes it must have matured when the delay is over, or the money
    goes back first. The other half of the time is for the commit to be mined.
    """
    delay, window = settings.REFUND_DELAY_SECONDS, settings.CHALLENGE_WINDOW_SECONDS
    return timedelta(seconds=max(delay - window, 0) / 2)


class ListingQuerySet(models.QuerySet["Listing"]):
    def on_sale(self) -> ListingQuerySet:
        """Listings that their sellers offer and no verdict suspends."""
        return self.filter(state=Listing.State.LIVE, suspended_at__isnull=True)


class Listing(models.Model):
    """A work for sale. Facets are stored so that a search never joins far.

    `state` is the seller's will alone; `suspended_at` is set while the newest verdict
    suspends the work.
    """

    class State(models.TextChoices):
        LIVE = "live"
        WITHDRAWN = "withdrawn"

    code = models.CharField(max_length=40, unique=True, default=listing_id)
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="listings")
    state = models.CharField(max_length=12, choices=State.choices, default=State.LIVE)
    suspended_at = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=160)
    search_text = models.TextField(blank=True, default="")
    origin_class = models.CharField(max_length=16, default="UNKNOWN")
    evidence_level = models.PositiveSmallIntegerField(default=0)
    badge_word = models.CharField(max_length=40, default="Declared")
    training_allowed = models.BooleanField(default=False)
    from_units = models.BigIntegerField(default=0)
    listed_at = models.DateTimeField(default=timezone.now)

    objects = ListingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["-listed_at", "-id"],
                name="listing_newest",
                condition=Q(state="live"),
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_on_sale(self) -> bool:
        """Whether somebody can license the work now."""
        return self.state == self.State.LIVE and self.suspended_at is None


class Facet(models.Model):
    """A stored count of live listings, so that no page counts rows."""

    name = models.CharField(max_length=24)
    value = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "value"], name="one_facet")
        ]

    def __str__(self) -> str:
        return f"{self.name}={self.value}: {self.count}"


class Offer(models.Model):
    """A license with terms and a price. All amounts are settlement-token units."""

    class Use(models.TextChoices):
        EDITORIAL = "editorial"
        COMMERCIAL = "commercial"
        PAY_PER_USE = "pay-per-use"

    code = models.CharField(max_length=40, unique=True, default=offer_id)
    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, related_name="offers"
    )
    use = models.CharField(max_length=16, choices=Use.choices)
    name = models.CharField(max_length=80)
    summary = models.CharField(max_length=200)
    price_units = models.BigIntegerField()
    deposit_units = models.BigIntegerField(default=0)
    rate_units = models.BigIntegerField(default=0)
    rate_per = models.PositiveIntegerField(default=1000)
    meter = models.CharField(max_length=40, default="display")
    term_days = models.PositiveIntegerField(default=365)
    terms = models.JSONField(default=dict)
    terms_digest = models.BinaryField(max_length=32)
    position = models.PositiveSmallIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["listing_id", "position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_units__gte=0, deposit_units__gte=0, rate_units__gte=0)
                & Q(rate_per__gte=1),
                name="offer_amounts",
            )
        ]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: User | AnonymousUser) -> OrderQuerySet:
        """Orders of the buyer parties that the user is a member of."""
        if not isinstance(user, User):
            return self.none()
        return self.filter(buyer__in=Party.objects.of(user).values("pk"))


class Order(models.Model):
    """A purchase under way. Terms, shares and amount are frozen when it is made.

    `received_units` is what deposits under this order's reference brought without
    paying for it. `uncharged` says that the chain itself said, when
    the payment failed, that the signature had moved no money.
    """

    class State(models.TextChoices):
        OPEN = "open"
        PAYING = "paying"
        PAID = "paid"
        FAILED = "failed"
        EXPIRED = "expired"

    code = models.CharField(max_length=40, unique=True, default=order_id)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="orders")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="orders")
    buyer_user = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    account = models.CharField(max_length=42, blank=True, default="")
    amount_units = models.BigIntegerField()
    terms = models.JSONField()
    terms_digest = models.BinaryField(max_length=32)
    ref = models.BinaryField(max_length=32, unique=True)
    authorization = models.JSONField(null=True, blank=True)
    intent = models.OneToOneField(
        Intent, on_delete=models.PROTECT, null=True, blank=True
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    failed_reason = models.TextField(blank=True, default="")
    uncharged = models.BooleanField(default=False)
    received_units = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_units__gte=0), name="order_amount"
            )
        ]

    def __str__(self) -> str:
        return self.code


class LicenseQuerySet(models.QuerySet["License"]):
    def visible_to(self, user: User | AnonymousUser) -> LicenseQuerySet:
        """Licenses of the buyer parties that the user is a member of."""
        if not isinstance(user, User):
            return self.none()
        return self.filter(buyer__in=Party.objects.of(user).values("pk"))

    def backed(self) -> LicenseQuerySet:
        """Licenses whose price and uses a settlement may take from the deposit.

        The deposit is final, and not on its way back to the buyer.
        """
        asked_back = Q(frozen_at__lte=timezone.now() - charging_time())
        return self.filter(final_at__isnull=False).exclude(asked_back)


class License(models.Model):
    """An issued offer: terms, price and shares are frozen in it.

    It covers uses from `valid_from`, which may lie before `issued_at` when the offer
    said so, up to `valid_until`. It is issued once its deposit is safe; `final_at` is
    when that was final, and nothing is settled before. `frozen_at` is the time of the
    block in which its deposit was asked back: what is used later is not covered. Its
    price is earned at `fee_due_at`, and never when that is empty: the purchase was
    canceled, with the record in `cancellation`, or a refund took the price along.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        REVOKED = "revoked"

    class Revoked(models.TextChoices):
        DEPOSIT_GONE = "deposit_gone", "Its payment left the chain"
        CANCELED = "canceled", "Its buyer canceled the purchase"
        REFUNDED = "refunded", "Its price went back to its buyer"

    code = models.CharField(max_length=40, unique=True, default=license_id)
    order = models.OneToOneField(Order, on_delete=models.PROTECT)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="licenses")
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="licenses")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT)
    account = models.CharField(max_length=42)
    terms = models.JSONField()
    shares = models.JSONField()
    price_units = models.BigIntegerField()
    deposit_units = models.BigIntegerField()
    rate_units = models.BigIntegerField()
    rate_per = models.PositiveIntegerField()
    meter = models.CharField(max_length=40)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    revoked_reason = models.CharField(
        max_length=16, choices=Revoked.choices, blank=True, default=""
    )
    issued_at = models.DateTimeField(default=timezone.now)
    final_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    fee_due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    cancellation = models.OneToOneField(
        Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    valid_from = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField()

    objects = LicenseQuerySet.as_manager()

    def __str__(self) -> str:
        return self.code

    @property
    def fee_units(self) -> int:
        """The price, as far as somebody will have earned it: none once canceled."""
        return self.price_units if self.fee_due_at else 0

    @property
    def is_closed(self) -> bool:
        """Its uses were paid from a deposit that was asked back."""
        return self.frozen_at is not None and self.rate_units > 0

    def covers(self, occurred_at: datetime) -> bool:
        """Whether the deposit still pays for a use that is counted now."""
        if not self.is_closed or self.frozen_at is None:
            return True
        is_before = occurred_at <= self.frozen_at
        return is_before and timezone.now() < self.frozen_at + charging_time()


class RefundQuerySet(models.QuerySet["Refund"]):
    def waiting(self) -> RefundQuerySet:
        """Refunds whose account the contract holds frozen."""
        return self.filter(state=Refund.State.REQUESTED)


class Refund(models.Model):
    """A deposit account's request for its unspent money, and what became of it.

    `nonce` is the number of the account's requests before. `asked` is what came in
    here; `requested` and `paid` are what the chain's final events say, whoever sent
    the transactions.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        REQUESTED = "requested"
        PAID = "paid"
        FAILED = "failed"

    code = models.CharField(max_length=40, unique=True, default=refund_id)
    account = models.CharField(max_length=42)
    nonce = models.PositiveIntegerField()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    intent = models.OneToOneField(
        Intent, on_delete=models.PROTECT, null=True, blank=True
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASKED)
    failed_reason = models.TextField(blank=True, default="")
    asked_at = models.DateTimeField(default=timezone.now)
    requested_at = models.DateTimeField(null=True, blank=True)
    units = models.BigIntegerField(null=True, blank=True)
    tx_hash = models.CharField(max_length=66, blank=True, default="")
    paid_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "nonce"], name="one_refund")
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def ready_at(self) -> datetime | None:
        """When the contract gives the money back; None before the request is final."""
        if self.requested_at is None:
            return None
        return self.requested_at + timedelta(seconds=settings.REFUND_DELAY_SECONDS)


class Delivery(models.Model):
    """The buyer's own copy: the license id is inside its credential."""

    license = models.OneToOneField(License, on_delete=models.PROTECT)
    digest = models.BinaryField(max_length=32, unique=True)
    path = models.CharField(max_length=200)
    mime = models.CharField(max_length=40)
    size_bytes = models.PositiveBigIntegerField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    made_at = models.DateTimeField(default=timezone.now)
    first_downloaded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"delivery of {self.license}"


class Grant(models.Model):
    """A one-use, short-lived right to download a delivery."""

    digest = models.CharField(max_length=64, unique=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"grant for {self.delivery}"
