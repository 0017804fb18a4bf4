"""Open an account: a party with its first member, a holder and a signing key.

Everything a person later does is done by a party, so nobody is without one: sign-up
calls this, and whoever signs in without a party (a superuser made on the command
line) gets one then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts.keys import signer_for
from accounts.models import Holder, Membership, Party, User
from accounts.platform import platform_party


def open_account(user: User, *, name: str = "", kind: str = Party.Kind.PERSON) -> Party:
    """Make a party that the user owns, ready to sign and to be paid.

    Args:
        user: becomes the party's owner; may own several.
        name: shown on works and statements; by default the user's own.
        kind: person or organization.

    Writes: Party, Membership, Holder, SigningKey (custody: server), log entry.
    """
    platform_party()
    shown = (name or user.get_short_name())[:120]
    with transaction.atomic():
        party = Party.objects.create(
            name=shown, kind=kind, verified_at=_verified_at(user)
        )
        Membership.objects.create(user=user, party=party)
        Holder.objects.create(party=party, name=shown)
        signer_for(party)
    return party


def _verified_at(user: User) -> datetime | None:
    """Now, when one of the user's addresses was confirmed."""
    known = EmailAddress.objects.filter(user=user, verified=True).exists()
    return timezone.now() if known else None


def on_email_confirmed(*, email_address: EmailAddress, **_: Any) -> None:
    """Receiver of `email_confirmed`: seals name it as a verified identity from now on.

    Writes: Party.verified_at of the parties that the user owns. Lock: none.
    """
    owned = Membership.objects.filter(
        user=email_address.user, role=Membership.Role.OWNER
    )
    rows = Party.objects.filter(pk__in=owned.values("party"), verified_at__isnull=True)
    rows.update(verified_at=timezone.now())


def on_login(*, user: User, **_: Any) -> None:
    """Receiver of `user_logged_in`: nobody acts without a party."""
    if not user.memberships.exists():
        open_account(user)
