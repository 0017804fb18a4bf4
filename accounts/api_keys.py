"""API keys: bearer secrets for pipelines, shown once and stored as a digest.

The form is `clp_<prefix>_<secret>`: the fixed start lets secret scanners find a leaked
key, the prefix names it on pages and in logs. An API key never signs a step; it only
says who sends.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Party, User
from colophon.errors import InputError

SCOPES = {
    "record": "Record runs and steps, enroll signing keys",
    "upload": "Upload works and register models and data sets",
    "publish": "Agree on shares and publish offers",
    "buy": "Order licenses and download",
    "report": "Report uses",
    "payout": "Ask to be paid what is available",
    "read": "Read works, licenses and statements",
}
PREFIX_BYTES = 6
SECRET_BYTES = 32
MAX_LABEL = 80
# last_used_at is for people; a row write per request is not worth its precision.
LAST_USED_PRECISION = timedelta(minutes=1)
_FORM = re.compile(r"clp_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


def issue(
    party: Party, user: User, label: str, scopes: Sequence[str]
) -> tuple[ApiKey, str]:
    """Make an API key that acts for a party.

    Args:
        party: a party that the user is a member of; the caller has checked that.
        user: who makes it and whose name its requests carry.
        label: what it is for, 1 to 80 characters.
        scopes: at least one of `SCOPES`.

    Returns:
        The row, and the secret text: the only time it exists outside the client.

    Raises:
        InputError: no label, or a scope that does not exist.
    """
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL:
        raise InputError(f"has {len(label)} characters, expected 1 to 80", "label")
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= SCOPES.keys():
        raise InputError(f"is not one or more of {', '.join(SCOPES)}", "scopes")
    prefix = secrets.token_hex(PREFIX_BYTES)
    text = f"clp_{prefix}_{secrets.token_hex(SECRET_BYTES)}"
    row = ApiKey.objects.create(
        prefix=prefix,
        digest=_digest(text),
        party=party,
        created_by=user,
        label=label,
        scopes=wanted,
    )
    return row, text


def authenticate(secret: str) -> ApiKey | None:
    """The live API key of a secret text, or None.

    None says nothing about why: unknown, revoked, expired, or its user or that
    user's membership is gone. One indexed look-up by digest: nothing to time.
    """
    if _FORM.fullmatch(secret) is None:
        return None
    now = timezone.now()
    found = (
        ApiKey.objects.select_related("party", "created_by")
        .filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            digest=_digest(secret),
            revoked_at__isnull=True,
            created_by__is_active=True,
        )
        .first()
    )
    if (
        found is None
        or not found.created_by.memberships.filter(party=found.party).exists()
    ):
        return None
    if not found.last_used_at or now - found.last_used_at > LAST_USED_PRECISION:
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
        found.last_used_at = now
    return found


def revoke(key: ApiKey) -> None:
    """Revoke an API key; the next request with it is refused. Twice is once."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(
        revoked_at=timezone.now()
    )
    key.refresh_from_db()


def _digest(text: str) -> str:
    """A random 256-bit secret needs no salt and no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()
