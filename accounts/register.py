"""Open an account: a party with its first member, a holder and a signing key.

Everything a person later does is done by a party, so nobody is without one: sign-up
calls this, and whoever signs in without a party (a superuser made on the command
line) gets one then.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

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
        party = Party.objects.create(name=shown, kind=kind)
        Membership.objects.create(user=user, party=party)
        Holder.objects.create(party=party, name=shown)
        signer_for(party)
    return party


def on_login(*, user: User, **_: Any) -> None:
    """Receiver of `user_logged_in`: nobody acts without a party."""
    if not user.memberships.exists():
        open_account(user)
