"""Who acts, who owns, who can be paid, and the keys they do it with."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone

from colophon.ids import new_id
from log.models import Entry


def party_id() -> str:
    """Public id of a party."""
    return new_id("pty")


def holder_id() -> str:
    """Public id of a holder."""
    return new_id("hol")


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address; there are no user names."""

    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, **fields
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Rows belong to parties, never to users."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True, default="")
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]


class PartyQuerySet(models.QuerySet["Party"]):
    def of(self, user: User) -> PartyQuerySet:
        """Parties that the user is a member of."""
        return self.filter(memberships__user=user)


class Party(models.Model):
    """A person or an organization: owns rows, reached by membership."""

    class Kind(models.TextChoices):
        PERSON = "person"
        ORGANIZATION = "organization"

    code = models.CharField(max_length=40, unique=True, default=party_id)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(max_length=120)
    is_platform = models.BooleanField(default=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PartyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_platform"],
                condition=Q(is_platform=True),
                name="one_platform_party",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def identities(self) -> list[str]:
        """What of the party was verified, in the words of a seal."""
        found = ["email"] if self.verified_at else []
        return [*found, "wallet"] if self.wallets.exists() else found


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    party = models.ForeignKey(
        Party, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.OWNER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "party"], name="one_membership")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.party}"


class Holder(models.Model):
    """A person or an organization that can be paid.

    `position` is the index in the earnings tree, given at the first accrual and
    never given again. `party` is empty while nobody has claimed the holder.
    """

    code = models.CharField(max_length=40, unique=True, default=holder_id)
    party = models.OneToOneField(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="holder"
    )
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(null=True, blank=True, unique=True)
    payout_address = models.CharField(max_length=42, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Wallet(models.Model):
    """An address whose key signed our EIP-4361 text."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="wallets")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="wallets")
    address = models.CharField(max_length=42, unique=True)
    linked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.address


class WalletChallenge(models.Model):
    """The EIP-4361 text the server issued; used once, within minutes."""

    class Purpose(models.TextChoices):
        LOGIN = "login"
        LINK = "link"

    nonce = models.CharField(max_length=32, unique=True)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    address = models.CharField(max_length=42)
    message = models.TextField()
    session_key = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.nonce


class SigningKey(models.Model):
    """An enrolled public key.

    Only `custody: server` keys have a private half here, encrypted at rest
    (accounts/custody.py).
    """

    class Purpose(models.TextChoices):
        ACTOR = "actor"
        RUNTIME = "runtime"
        ACCOUNT = "account"
        VERDICT = "verdict"

    class Custody(models.TextChoices):
        CLIENT = "client"
        SERVER = "server"

    key_id = models.CharField(max_length=64, unique=True)
    spki = models.BinaryField()
    algorithm = models.CharField(max_length=16, default="ed25519")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="keys")
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    custody = models.CharField(max_length=8, choices=Custody.choices)
    label = models.CharField(max_length=80, blank=True, default="")
    sealed_private = models.BinaryField(null=True, blank=True)
    enrolled_at = models.DateTimeField(default=timezone.now)
    enrollment = models.OneToOneField(
        Entry, on_delete=models.PROTECT, null=True, related_name="enrolled_key"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revocation = models.OneToOneField(
        Entry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revoked_key",
    )

    def __str__(self) -> str:
        return f"{self.key_id[:12]} {self.purpose}"


class ApiKey(models.Model):
    """A bearer key for pipelines: its secret is shown once and stored hashed."""

    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT)
    label = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"clp_{self.prefix}…"
