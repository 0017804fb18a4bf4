"""The nouns of provenance, written once each in the order of the loop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Holder, Party, SigningKey, User
from chain.models import Intent
from colophon.ids import new_id
from log.models import Checkpoint, Entry


def source_id() -> str:
    """Public id of a source."""
    return new_id("src")


def run_id() -> str:
    """Public id of a run."""
    return new_id("run")


def step_id() -> str:
    """Public id of a step."""
    return new_id("stp")


def asset_id() -> str:
    """Public id of an asset."""
    return new_id("ast")


def agreement_id() -> str:
    """Public id of an agreement."""
    return new_id("agr")


def dispute_id() -> str:
    """Public id of a dispute."""
    return new_id("dsp")


def case_id() -> str:
    """Public id of a case in the certifiers' queue."""
    return new_id("cas")


class Source(models.Model):
    """A model, a data set or an input picture that has an owner.

    `ask_ppm` is the owner's standing ask, signed once at registration: it accepts
    every agreement that gives at least as much (docs/adr/0011).
    """

    class Kind(models.TextChoices):
        MODEL = "model"
        DATASET = "dataset"
        MEDIA = "media"

    code = models.CharField(max_length=40, unique=True, default=source_id)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=160)
    version = models.CharField(max_length=40, blank=True, default="")
    digest = models.BinaryField(max_length=32)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, blank=True)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT)
    registered_by = models.ForeignKey(
        Party, on_delete=models.PROTECT, related_name="registered_sources"
    )
    ask_ppm = models.PositiveIntegerField(null=True, blank=True)
    terms = models.TextField(blank=True, default="")
    description = models.TextField(blank=True, default="")
    training = models.JSONField(default=dict, blank=True)
    trained_on = models.ManyToManyField("self", symmetrical=False, blank=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ask_ppm__isnull=True) | Q(ask_ppm__lte=1_000_000),
                name="ask_is_a_share",
            ),
            models.UniqueConstraint(
                fields=["digest", "registered_by"], name="one_claim_per_party"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def owner_signed(self) -> bool:
        """Registered by its owner, or only claimed by somebody else."""
        return self.party_id is not None and self.party_id == self.registered_by_id


class Run(models.Model):
    """One recorded session of work: a ticket first, then its steps."""

    code = models.CharField(max_length=40, unique=True, default=run_id)
    name = models.CharField(max_length=120)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="runs")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True)
    nonce = models.BinaryField(max_length=32)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, null=True)
    ticket = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="ticket_of"
    )
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Step(models.Model):
    """One act, signed by its actor. `digest` is the envelope's SHA-256."""

    code = models.CharField(max_length=40, unique=True, default=step_id)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32, unique=True)
    action = models.CharField(max_length=48)
    actor_kind = models.CharField(max_length=8)
    source_type = models.CharField(max_length=120, blank=True, default="")
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    model_source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True
    )
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["run_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="step_position")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.position}"


class StepFile(models.Model):
    """A digest that a step names: an input, an output or a proxy of one."""

    class Relation(models.TextChoices):
        OUTPUT = "output"
        PARENT = "parentOf"
        COMPONENT = "componentOf"
        INPUT = "inputTo"

    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="files")
    relation = models.CharField(max_length=12, choices=Relation.choices)
    name = models.CharField(max_length=160)
    digest = models.BinaryField(max_length=32, db_index=True)
    proxy_digest = models.BinaryField(max_length=32, null=True, blank=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Disclosure(models.Model):
    """A committed field's salt and value, kept apart so that erasure may empty it."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="disclosures")
    field = models.CharField(max_length=80)
    salt = models.BinaryField(max_length=16)
    value = models.JSONField()
    is_public = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "field"], name="one_disclosure")
        ]

    def __str__(self) -> str:
        return self.field


class Proxy(models.Model):
    """A smaller copy of a picture that a step names; never shown to anyone.

    The step's record makes the row; the bytes come by themselves, or never.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="proxies")
    digest = models.BinaryField(max_length=32)
    path = models.CharField(max_length=200, blank=True, default="")
    received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "digest"], name="one_proxy")
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]


class AssetQuerySet(models.QuerySet["Asset"]):
    def visible_to(self, user: User | AnonymousUser) -> AssetQuerySet:
        """Published works for everyone, all of a party's works for its members."""
        published = Q(published_at__isnull=False)
        if not isinstance(user, User):
            return self.filter(published)
        if user.is_staff:
            return self
        mine = Party.objects.of(user).values("pk")
        return self.filter(published | Q(party__in=mine))

    def editable_by(self, user: User | AnonymousUser) -> AssetQuerySet:
        """Works of the parties that the user is a member of."""
        if not isinstance(user, User):
            return self.none()
        return self.filter(party__in=Party.objects.of(user).values("pk"))


class Asset(models.Model):
    """One work: immutable bytes of one version, known by its digests.

    How far it has come is told by the rows that exist (`stage`).
    """

    code = models.CharField(max_length=40, unique=True, default=asset_id)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="assets")
    title = models.CharField(max_length=160)
    description = models.TextField(blank=True, default="")
    alt_text = models.CharField(max_length=300, blank=True, default="")
    creator_name = models.CharField(max_length=120, blank=True, default="")
    training = models.JSONField(default=dict, blank=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True
    )
    uploaded_digest = models.BinaryField(max_length=32, db_index=True)
    uploaded_name = models.CharField(max_length=160)
    refused_reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party", "uploaded_digest"], name="one_asset_per_file"
            )
        ]
        indexes = [models.Index(fields=["-published_at", "-id"], name="asset_newest")]

    def __str__(self) -> str:
        return self.title

    @property
    def stage(self) -> str:
        """refused, received, examined, sealed or published."""
        if self.refused_reason:
            return "refused"
        if self.published_at:
            return "published"
        if hasattr(self, "seal"):
            return "sealed"
        return "examined" if hasattr(self, "findings") else "received"

    def first_anchor(self) -> Anchor | None:
        """The first anchor that covers the seal; None while it is pending."""
        seal = getattr(self, "seal", None)
        if seal is None or seal.entry.index is None:
            return None
        covering = Anchor.objects.filter(checkpoint__size__gt=seal.entry.index)
        return covering.select_related("checkpoint").order_by("checkpoint").first()


class Rendition(models.Model):
    """Bytes of an asset in one form, stored under a name made of their digest."""

    class Kind(models.TextChoices):
        UPLOADED = "uploaded"
        SEALED = "sealed"
        PREVIEW = "preview"
        THUMBNAIL = "thumbnail"
        PROXY = "proxy"

    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="renditions"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    digest = models.BinaryField(max_length=32, db_index=True)
    path = models.CharField(max_length=200)
    mime = models.CharField(max_length=40)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "kind"], name="one_rendition")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.asset}"


class Findings(models.Model):
    """What the uploaded file says of itself; made in a killable child."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT)
    pixels_digest = models.BinaryField(max_length=32, db_index=True)
    pdq = models.BinaryField(max_length=32, null=True, blank=True)
    iscc = models.CharField(max_length=120, blank=True, default="")
    inspection = models.JSONField()
    metadata = models.JSONField(default=dict)
    nearest = models.ForeignKey(
        Asset, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    nearest_bits = models.PositiveIntegerField(null=True, blank=True)
    examined_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"findings of {self.asset}"


class Print(models.Model):
    """One perceptual print of an asset, to find look-alikes by (provenance/prints.py).

    `variant` is 0 for the whole picture, then one number for each stored crop in the
    order of `colophon.fingerprints`; `reduction` is the version of what it was made of.
    """

    class Kind(models.TextChoices):
        PDQ = "pdq"
        ISCC = "iscc"

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="prints")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    variant = models.PositiveSmallIntegerField()
    value = models.BinaryField(max_length=32)
    reduction = models.CharField(max_length=16)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "kind", "reduction", "variant"], name="one_print"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.variant} of {self.asset}"


class LookAlike(models.Model):
    """`asset` looks like `earlier`, whose evidence is older; never more than a hint.

    Attributes:
        bits: in which the nearest two prints differ, of 256.
        cleared_at: when certifiers said that it is another work.
    """

    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="look_alikes"
    )
    earlier = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="looked_like_by"
    )
    bits = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField(default=timezone.now)
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "earlier"], name="one_look_alike_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.asset} looks like {self.earlier}"


class SecondLook(models.Model):
    """A later search for look-alikes of a sealed work; the newest record counts."""

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="looks")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    looked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"second look at {self.asset}"


class OriginMap(models.Model):
    """Which step last changed each pixel, as far as the proxies at hand show.

    Attributes:
        proxies: how many of the run's were at hand; a late one makes the map anew.
        found: as `colophon.originmap.work.compute` says it; empty when no chain of
            pictures leads to the work.
        path: of the PNG to lay over the picture; empty with `found`.
        problem: why a map could not be made, in words for the owner.
    """

    asset = models.OneToOneField(
        Asset, on_delete=models.PROTECT, related_name="origin_map"
    )
    version = models.CharField(max_length=24)
    proxies = models.PositiveIntegerField()
    found = models.JSONField(default=dict)
    digest = models.BinaryField(max_length=32, default=bytes)
    path = models.CharField(max_length=200, blank=True, default="")
    problem = models.TextField(blank=True, default="")
    computed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"origin map of {self.asset}"


class Seal(models.Model):
    """The statement made right after signing the file. The sealed file is the asset."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT)
    digest = models.BinaryField(max_length=32, unique=True)
    file_digest = models.BinaryField(max_length=32, unique=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    examination = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="examination_of"
    )
    inspection = models.JSONField()
    credential = models.JSONField()
    sealed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"seal of {self.asset}"


class LicensedCopy(models.Model):
    """A copy of a sealed file that was made for one licensee, known by its digest.

    `marketplace` makes the copies and writes this row beside its own delivery, so
    that Verify can name them without knowing who bought them.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="copies")
    digest = models.BinaryField(max_length=32, unique=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"licensed copy of {self.asset}"


class Agreement(models.Model):
    """Who gets which ppm of the gross when the work earns. A change is a new row."""

    code = models.CharField(max_length=40, unique=True, default=agreement_id)
    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="agreements"
    )
    version = models.PositiveIntegerField()
    fee_ppm = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32, unique=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "version"], name="agreement_version"
            )
        ]

    def __str__(self) -> str:
        return f"agreement {self.version} of {self.asset}"


class AgreementPart(models.Model):
    """One holder's part; the parts of an agreement sum to exactly 1,000,000 ppm."""

    class Role(models.TextChoices):
        PLATFORM = "platform"
        SOURCE = "source"
        CREATOR = "creator"

    agreement = models.ForeignKey(
        Agreement, on_delete=models.PROTECT, related_name="parts"
    )
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT)
    role = models.CharField(max_length=8, choices=Role.choices)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True)
    ppm = models.PositiveIntegerField()
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["agreement_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "position"], name="part_position"
            ),
            models.CheckConstraint(
                condition=Q(ppm__lte=1_000_000), name="part_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder} {self.ppm} ppm"


class Acceptance(models.Model):
    """A party's yes to an agreement."""

    class Method(models.TextChoices):
        ACCOUNT_KEY = "account-key"
        EIP712 = "eip712"
        STANDING_ASK = "standing-ask"

    agreement = models.ForeignKey(
        Agreement, on_delete=models.PROTECT, related_name="acceptances"
    )
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT)
    method = models.CharField(max_length=16, choices=Method.choices)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "holder"], name="one_acceptance"
            )
        ]

    def __str__(self) -> str:
        return f"{self.holder} accepts {self.agreement}"


class Anchor(models.Model):
    """A checkpoint's size and root on the chain, with the receipt that proves it."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.PROTECT)
    intent = models.OneToOneField(Intent, on_delete=models.PROTECT)
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    tx_hash = models.CharField(max_length=66)
    block_at = models.DateTimeField()
    receipt = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"anchor of {self.checkpoint}"


class Verdict(models.Model):
    """What the policy computed from the evidence at one moment; newest one counts."""

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="verdicts")
    envelope = models.JSONField()
    evidence_level = models.PositiveSmallIntegerField()
    origin_class = models.CharField(max_length=16)
    rights_level = models.PositiveSmallIntegerField()
    standing = models.CharField(max_length=16)
    word = models.CharField(max_length=40)
    criteria = models.JSONField(default=list)
    policy_digest = models.BinaryField(max_length=32)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    standing_entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="standing_of"
    )
    as_of = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-as_of", "-id"]
        get_latest_by = "as_of"

    def __str__(self) -> str:
        return f"{self.word} ({self.asset})"

    def shown(self) -> dict[str, Any]:
        """What the badge partial reads."""
        return {
            "word": self.word,
            "level": self.evidence_level,
            "standing": self.standing,
            "o_class": self.origin_class,
            "rights": self.rights_level,
        }


class Token(models.Model):
    """The ERC-721 certificate of an asset."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT)
    token_id = models.CharField(max_length=78, blank=True, default="")
    minted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of {self.asset}"


class Dispute(models.Model):
    """Somebody says that a work is not what its page says.

    `stands` is what the last decision said while an appeal is open. Who objects is
    told to certifiers alone, and `secret` opens the page to a complainant without an
    account. Each move is a log entry (`DisputeMove`).
    """

    class State(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        UPHELD = "upheld"
        REJECTED = "rejected"
        APPEALED = "appealed"

    code = models.CharField(max_length=40, unique=True, default=dispute_id)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    contact = models.EmailField(blank=True, default="")
    relation = models.CharField(max_length=12, blank=True, default="")
    reason = models.CharField(max_length=32)
    text = models.TextField()
    links = models.TextField(blank=True, default="")
    secret = models.BinaryField(max_length=32, null=True, blank=True)
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    appeal_text = models.TextField(blank=True, default="")
    appealed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    stands = models.CharField(max_length=8, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decision = models.TextField(blank=True, default="")
    opened_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.code

    @property
    def suspends(self) -> bool:
        """Whether the last decision upheld it, also while that is appealed."""
        appealed = self.state == self.State.APPEALED
        return (self.stands if appealed else self.state) == self.State.UPHELD

    @property
    def is_decided(self) -> bool:
        return self.state in {self.State.UPHELD, self.State.REJECTED}


class DisputeMove(models.Model):
    """One move of a dispute, with its record in the log."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="moves")
    move = models.CharField(max_length=8)
    reason = models.CharField(max_length=64)
    by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, blank=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["dispute_id", "id"]

    def __str__(self) -> str:
        return f"{self.dispute} {self.move}"


class CaseQuerySet(models.QuerySet["Case"]):
    def waiting(self) -> CaseQuerySet:
        """Not closed, oldest first: the order of the queue."""
        return self.filter(closed_at__isnull=True).order_by("opened_at", "pk")


class Case(models.Model):
    """One thing that waits for certifiers: a review, or a dispute, or its appeal.

    `lock_until` ends a claim by itself, so nobody can sit on a case.
    """

    class Kind(models.TextChoices):
        REVIEW = "review"
        DISPUTE = "dispute"

    code = models.CharField(max_length=40, unique=True, default=case_id)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="cases")
    dispute = models.ForeignKey(
        Dispute, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    appeal_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="appeal"
    )
    text = models.TextField(blank=True, default="")
    opened_at = models.DateTimeField(default=timezone.now)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    lock_until = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=9, blank=True, default="")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset"],
                condition=Q(kind="review", closed_at__isnull=True),
                name="one_open_review",
            ),
            models.UniqueConstraint(
                fields=["dispute"],
                condition=Q(closed_at__isnull=True),
                name="one_open_case_per_dispute",
            ),
            models.CheckConstraint(
                condition=Q(kind="review", dispute__isnull=True)
                | Q(kind="dispute", dispute__isnull=False),
                name="case_is_about_its_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at", "id"],
                condition=Q(closed_at__isnull=True),
                name="case_queue",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class Decision(models.Model):
    """What one certifier said in a case, signed and logged; nobody says it twice."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    party = models.ForeignKey(Party, on_delete=models.PROTECT)
    decision = models.CharField(max_length=9)
    reason = models.CharField(max_length=32)
    note = models.TextField(blank=True, default="")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["case_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "by"], name="one_word_per_person"),
            models.UniqueConstraint(
                fields=["case", "party"], name="one_word_per_party"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} in {self.case}"
