"""Make a verdict: what the platform does before it signs one.

The same policy over the same facts as in a verification, except that the platform
itself knows which blocks are final and which credential it sealed; its verdict names
these pieces, and a verifier believes exactly the named ones.
"""

from __future__ import annotations

from datetime import datetime

from colophon import records
from colophon.checks import Checklist
from colophon.errors import EvidenceError
from colophon.evidence import VERDICT, Bundle
from colophon.filematch import CredentialFacts
from colophon.logview import piece_digest
from colophon.policy import POLICY, Policy, Verdict, evaluate
from colophon.statement import Json, read_statement
from colophon.trust import Trust
from colophon.weigh import facts_from, sealed_digests


def judge(
    bundle: Bundle,
    credential: CredentialFacts,
    trust: Trust,
    *,
    as_of: datetime,
    policy: Policy = POLICY,
) -> tuple[Verdict, Checklist]:
    """Judge the sealed file of a bundle, as the platform that collected it.

    Args:
        bundle: the evidence; a verdict in it is not looked at. Its anchors must be
            of final blocks only.
        credential: what the C2PA reader said of the sealed file.
        trust: the platform's own trust file.
        as_of: aware moment of the judgment.
        policy: the version to judge by.

    Raises:
        EvidenceError: the bundle has no readable seal.
    """
    file = sealed_digests(bundle)
    weighed = facts_from(bundle, file, credential, trust, as_of=as_of, vouched=None)
    return evaluate(weighed.facts, policy, as_of=as_of), weighed.checks


def inputs_of(bundle: Bundle) -> list[bytes]:
    """Digests of everything that a verdict on this evidence rests on."""
    found = {one.envelope.digest for one in bundle.records if one.kind != VERDICT}
    found |= {piece_digest(proof) for proof in bundle.anchors.values()}
    if bundle.credential is not None:
        found.add(CredentialFacts.from_json(bundle.credential).digest)
    return sorted(found)


def verdict_statement(
    verdict: Verdict, bundle: Bundle, *, verifier: str, resource: str
) -> Json:
    """The verdict as a statement (SLSA VSA), to be signed by the verdict key.

    Args:
        verdict: what `judge` gave.
        bundle: the evidence it was given for.
        verifier: URI of who judges.
        resource: URI of the asset's page.

    Raises:
        EvidenceError: the bundle has no seal.
    """
    record = bundle.one("seal")
    if record is None:
        raise EvidenceError("evidence has no seal")
    seal = records.parse_seal(read_statement(record.envelope.payload))
    return records.verdict(
        name=seal.asset,
        file=seal.file,
        verifier=verifier,
        verified_at=verdict.as_of,
        resource=resource,
        policy_uri=f"{verifier}/policy/{verdict.policy_id}",
        policy_digest=verdict.policy_digest,
        levels=verdict.verified_levels,
        standing=verdict.standing,
        expires_at=verdict.expires_at,
        inputs=inputs_of(bundle),
        criteria=[(one.id, one.passed) for one in verdict.criteria],
        passed=verdict.holds,
    )
