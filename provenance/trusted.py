"""The trust file of this site: what a stranger pins to check its evidence."""

from __future__ import annotations

from django.conf import settings

from accounts.models import SigningKey
from accounts.platform import platform_party, platform_signer, verdict_signer
from chain.read import facts as network_facts
from colophon.keys import Signer
from colophon.policy import POLICY
from colophon.trust import Chain, Trust, TrustedKey
from log.keys import log_keys
from log.witnesses import configured, quorum
from provenance.authorities import claim_roots, tsa_roots


def site_trust() -> Trust:
    """`trust.json` as this site publishes it; the only root of its evidence."""
    network = network_facts()
    chains = (
        (
            Chain(
                chain_id=network.chain_id,
                ledger=network.ledger.lower(),
                code_hash=bytes.fromhex(
                    network.code_hashes["ColophonLedger"].removeprefix("0x")
                ),
                public=network.public,
                name=network.name,
            ),
        )
        if network
        else ()
    )
    places = configured()
    return Trust(
        origin=settings.LOG_ORIGIN,
        site=settings.SITE_URL,
        log_keys=tuple(log_keys()),
        platform_keys=_keys(platform_signer(), SigningKey.Purpose.ACCOUNT),
        verdict_keys=_keys(verdict_signer(), SigningKey.Purpose.VERDICT),
        chains=chains,
        c2pa_roots=tuple(claim_roots()),
        tsa_roots=tuple(tsa_roots()),
        policies=(POLICY.digest,),
        witness_keys=tuple(one.key for one in places),
        quorum=quorum(),
        independent_witnesses=tuple(one.key.name for one in places if one.independent),
    )


def _keys(present: Signer, purpose: str) -> tuple[TrustedKey, ...]:
    """The key that signs now, then those before it that were not revoked.

    What an earlier key signed stays provable after its file was replaced.
    """
    rows = SigningKey.objects.filter(
        party=platform_party(), purpose=purpose, revoked_at__isnull=True
    )
    older = rows.exclude(key_id=present.key_id).order_by("-pk")
    known = [TrustedKey.of(bytes(row.spki)) for row in older]
    return (TrustedKey.of(present.public_spki), *known)
