"""The platform as a party: its holder takes the fee, its keys vouch and judge.

Made on first use, so a fresh database needs no setup step; both keys are enrolled in
the log like everybody else's.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts import custody, keys
from accounts.models import Holder, Party, SigningKey
from colophon.keys import Ed25519Key, Signer

NAME = "Colophon"


def platform_party() -> Party:
    """The one platform party, with its holder and enrolled keys.

    Writes on first use: Party, Holder, two SigningKeys with their log entries.
    Lock: the constraint `one_platform_party`; who comes second reads the first's.
    """
    found = Party.objects.filter(is_platform=True).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return _open()
    except IntegrityError:
        return Party.objects.get(is_platform=True)


def platform_holder() -> Holder:
    """The holder that the platform fee is paid to."""
    return Holder.objects.get(party=platform_party())


def platform_signer() -> Signer:
    """The platform's own key: tickets, seals, policies, licenses, new accounts."""
    platform_party()
    return custody.platform_key()


def verdict_signer() -> Signer:
    """The key that signs verdicts and nothing else."""
    platform_party()
    return custody.verdict_key()


def _open() -> Party:
    party = Party.objects.create(
        name=NAME, kind=Party.Kind.ORGANIZATION, is_platform=True
    )
    Holder.objects.create(party=party, name=NAME)
    own = custody.platform_key()
    _enroll(party, own, SigningKey.Purpose.ACCOUNT, "Platform")
    _enroll(party, custody.verdict_key(), SigningKey.Purpose.VERDICT, "Verdicts")
    return party


def _enroll(party: Party, key: Ed25519Key, purpose: str, label: str) -> None:
    by = custody.platform_key()
    keys.enroll_kept(party, key, purpose=purpose, by=by, sealed=None, label=label)
