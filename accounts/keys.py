"""Signing keys of a party: keep, enroll, revoke, and find the one that counted when.

Every enrollment and revocation is a public log entry, written in the same
transaction as the row. Formats: colophon/enrollment.py.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import custody
from accounts.errors import FieldError, KeyConflictError, KeyStateError
from accounts.models import Party, SigningKey
from colophon import enrollment, statement
from colophon.errors import InputError
from colophon.keys import Ed25519Key, Signer
from log.append import append

ACCOUNT = SigningKey.Purpose.ACCOUNT
CLIENT = SigningKey.Custody.CLIENT
SERVER = SigningKey.Custody.SERVER
CLIENT_PURPOSES = (SigningKey.Purpose.ACTOR, SigningKey.Purpose.RUNTIME, ACCOUNT)


def signer_for(party: Party) -> Signer:
    """The key that signs for a party in the browser, `custody: server`.

    Made and enrolled when the party has none (or its last one was revoked).
    """
    if party.is_platform:
        return custody.platform_key()
    kept = _kept(party) or _make(party)
    assert kept.sealed_private is not None
    return custody.unseal(bytes(kept.sealed_private), kept.key_id)


def account_key(party: Party) -> SigningKey:
    """The row of the key that `signer_for` signs with."""
    return SigningKey.objects.get(key_id=signer_for(party).key_id)


def enroll(
    party: Party, envelope: statement.Envelope, *, label: str = ""
) -> SigningKey:
    """Enroll a key that the party holds itself, by its self-signed enrollment.

    The enrollment must name the party's account key (`GET /api/v1/me` tells it), so
    that nobody can present another's key as their own.

    Writes: SigningKey, log entry "enrollment" (public, countersigned).

    Raises:
        InputError: not an enrollment, of server custody, or for another account.
        SignatureError: the enrolled key did not sign it.
        KeyConflictError: the key is enrolled already.
    """
    found = enrollment.open_enrollment(envelope)
    if found.custody != CLIENT:
        raise InputError("is not client; the key is yours", "predicate/custody")
    if found.purpose not in CLIENT_PURPOSES:
        raise InputError("is not actor, runtime or account", "predicate/purpose")
    signer = signer_for(party)
    if found.account != signer.key_id:
        raise InputError(
            f"is not your account key; write {signer.key_id}", "predicate/account"
        )
    return _enter(party, envelope, by=signer, label=label)


def enroll_kept(
    party: Party,
    key: Ed25519Key,
    *,
    purpose: str,
    by: Signer,
    sealed: bytes | None,
    label: str,
) -> SigningKey:
    """Enroll a key that Colophon keeps, in a row (`sealed`) or in a file.

    Writes: SigningKey, log entry "enrollment".
    """
    made = enrollment.build_enrollment(
        key.public_spki,
        purpose=purpose,
        custody=SERVER,
        enrolled_on=timezone.now(),
        account="" if purpose == ACCOUNT else by.key_id,
    )
    envelope = statement.sign(made, key)
    return _enter(party, envelope, by=by, label=label, sealed=sealed)


def revoke(key: SigningKey, *, effective_at: datetime, reason: str) -> SigningKey:
    """Revoke a key from a moment on: what it signed later counts for nothing.

    Signed by the account's key and by the platform, or by the platform alone when
    that very key goes: so it holds even after the account's key was replaced.

    Args:
        key: a key of the party that asks.
        effective_at: now or earlier (a key stolen yesterday), not before enrollment.
        reason: one of `colophon.enrollment.REASONS`.

    Writes: SigningKey.revoked_at, log entry "revocation". Lock: conditional update.

    Raises:
        InputError: an unknown reason.
        KeyStateError: already revoked, or a moment outside the key's life.
    """
    if not key.enrolled_at <= effective_at <= timezone.now():
        raise KeyStateError(
            "The time must be between the key's enrollment and now.",
            errors=[FieldError("/effective_at", "is outside the key's life")],
        )
    made = enrollment.build_revocation(
        key.key_id, effective_on=effective_at, reason=reason
    )
    with transaction.atomic():
        taken = SigningKey.objects.filter(pk=key.pk, revoked_at__isnull=True)
        if not taken.update(revoked_at=effective_at):
            raise KeyStateError("The key is revoked already; nothing was changed.")
        signers = _revokers(key)
        entry = append(
            "revocation", statement.sign(made, *signers).to_json(), public=True
        )
        SigningKey.objects.filter(pk=key.pk).update(revocation=entry)
    key.refresh_from_db()
    return key


def key_at(key_id: str, moment: datetime) -> SigningKey | None:
    """The enrolled key of that id, if it counted at that moment.

    Args:
        key_id: hex SHA-256 of the SPKI.
        moment: our own clock or a proven time, never a claimed one.
    """
    alive = Q(revoked_at__isnull=True) | Q(revoked_at__gt=moment)
    found = SigningKey.objects.select_related("party", "enrollment")
    return found.filter(alive, key_id=key_id, enrolled_at__lte=moment).first()


def _revokers(key: SigningKey) -> list[Signer]:
    """Who signs the revocation of a key."""
    platform = custody.platform_key()
    if key.sealed_private or key.party.is_platform:
        return [platform]
    return [signer_for(key.party), platform]


def _kept(party: Party) -> SigningKey | None:
    """The party's newest usable kept key."""
    found = party.keys.filter(
        purpose=ACCOUNT,
        custody=SERVER,
        revoked_at__isnull=True,
        sealed_private__isnull=False,
    )
    return found.order_by("-pk").first()


def _make(party: Party) -> SigningKey:
    key = Ed25519Key.generate()
    return enroll_kept(
        party,
        key,
        purpose=ACCOUNT,
        by=custody.platform_key(),
        sealed=custody.seal(key),
        label="Kept by Colophon",
    )


def _enter(
    party: Party,
    envelope: statement.Envelope,
    *,
    by: Signer,
    label: str,
    sealed: bytes | None = None,
) -> SigningKey:
    """Write the row and its public entry, countersigned by who takes the key in."""
    found = enrollment.open_enrollment(envelope)
    both = envelope
    if by.key_id != found.key_id:
        both = enrollment.countersign(envelope, by)
    try:
        with transaction.atomic():
            return SigningKey.objects.create(
                key_id=found.key_id,
                spki=found.public_spki,
                party=party,
                purpose=found.purpose,
                custody=found.custody,
                label=label,
                sealed_private=sealed,
                enrollment=append("enrollment", both.to_json(), public=True),
            )
    except IntegrityError as error:
        if not SigningKey.objects.filter(key_id=found.key_id).exists():
            raise
        raise KeyConflictError from error
