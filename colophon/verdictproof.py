"""The verdict: signed by a known key, and the same again from the evidence (check 12).

A verdict rests on pieces that prove nothing by themselves (which block is final, what
the credential of the sealed file said); whoever trusts its key believes these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from colophon import filematch
from colophon import statement as statements
from colophon.checks import Checklist, Code
from colophon.errors import ColophonError, InputError
from colophon.evidence import VERDICT, Bundle
from colophon.filematch import CredentialFacts
from colophon.policy import POLICY, Policy, evaluate
from colophon.policy import Verdict as Judged
from colophon.records import Verdict as Signed
from colophon.records import parse_verdict
from colophon.statement import Envelope
from colophon.trust import Trust
from colophon.weigh import Weighed, facts_from, recorded_credential, sealed_digests


def signed_verdict(
    bundle: Bundle, trust: Trust, as_of: datetime
) -> tuple[Signed | None, Checklist]:
    """Check 12: the newest verdict by then that a known verdict key signed."""
    checks = Checklist()
    found: list[Signed] = []
    records = bundle.of(VERDICT)
    for record in records:
        try:
            said = _verdict_statement(record.envelope, trust)
            if said is None:
                words = "The verdict is signed by no verdict key that you trust."
                checks.failed(12, words, Code.UNKNOWN_SIGNER)
                continue
            found.append(parse_verdict(said))
        except ColophonError as error:
            checks.failed(12, f"The verdict does not hold: {error}.")
    if not records:
        checks.skipped(12, "The evidence comes without a verdict.")
    made = [one for one in found if one.verified_at <= as_of]
    if found and not made:
        checks.skipped(12, "The verdict was made later than the moment you ask about.")
    return max(made, key=lambda one: one.verified_at, default=None), checks


def _verdict_statement(envelope: Envelope, trust: Trust) -> dict[str, Any] | None:
    for signature in envelope.signatures:
        key = trust.verdict_key(signature.keyid)
        if key is not None:
            return statements.verify(envelope, key.spki)
    return None


def accepted_policy(bundle: Bundle, trust: Trust) -> Policy | None:
    """The policy of the bundle (or our own) when the trust file accepts it."""
    candidates = [POLICY]
    if bundle.policy is not None:
        try:
            candidates.insert(0, Policy.from_data(bundle.policy))
        except InputError:
            return None  # a policy this version cannot read gives no answer
    return next((one for one in candidates if one.digest in trust.policies), None)


def check_rederived(
    signed: Signed,
    weighed: Weighed,
    checks: Checklist,
    *,
    bundle: Bundle,
    credential: CredentialFacts,
    trust: Trust,
    policy: Policy | None,
) -> None:
    """Check 12: the same policy over the same evidence gives the same verdict."""
    if weighed.seal is None:
        checks.skipped(12, "There is no seal to hold the verdict against.")
        return
    if signed.file != weighed.seal.file:
        checks.failed(12, "The verdict is about another file.")
        return
    if policy is None or policy.digest != signed.policy_digest:
        known = signed.policy_digest in trust.policies
        words = "The verdict's policy is not in the evidence."
        if not known:
            words = "The verdict was made under a policy that you do not accept."
        checks.failed(12, words, Code.MISSING if known else Code.UNKNOWN_SIGNER)
        return
    vouched = frozenset(signed.inputs)
    if weighed.match != filematch.SEALED or credential.expired:
        # The verdict is about the sealed file, on the day it was made.
        credential = recorded_credential(bundle, vouched)
    again = facts_from(
        bundle,
        sealed_digests(bundle),
        credential,
        trust,
        as_of=signed.verified_at,
        vouched=vouched,
    )
    derived = evaluate(again.facts, policy, as_of=signed.verified_at)
    if odd := _differences(derived, signed):
        code, words = _why_different(derived, signed, again.checks)
        checks.failed(12, words, code, *odd)
        return
    day = f"{signed.verified_at:%Y-%m-%d}"
    words = f"The verdict of {day} is signed and follows again"
    checks.passed(12, f"{words} from the evidence.")


def _why_different(
    derived: Judged, signed: Signed, checks: Checklist
) -> tuple[Code, str]:
    """Whether other trust explains that the evidence gives less than was signed."""
    passed = {name for name, ok in signed.criteria if ok}
    less = {one.id for one in derived.criteria if one.passed} <= passed
    if less and any(one.code is Code.UNKNOWN_SIGNER for one in checks):
        words = "With the signers that you trust, the evidence gives a lower verdict."
        return Code.UNKNOWN_SIGNER, words
    return Code.MISMATCH, "The evidence does not give the verdict that was signed."


def _differences(derived: Judged, signed: Signed) -> list[str]:
    """Where the derived verdict differs from the signed one."""
    found = []
    if tuple(derived.verified_levels) != signed.levels:
        got, said = " ".join(derived.verified_levels), " ".join(signed.levels)
        found.append(f"evidence gives {got}, verdict says {said}")
    if derived.standing != signed.standing:
        found.append(f"standing {derived.standing}, verdict says {signed.standing}")
    if derived.holds is not signed.passed:
        got, said = ("passed", "failed") if derived.holds else ("failed", "passed")
        found.append(f"evidence gives {got}, verdict says {said}")
    if derived.expires_at != signed.expires_at:
        found.append("the verdict runs out at another time")
    now = {one.id: one.passed for one in derived.criteria}
    for name, passed in signed.criteria:
        if now.get(name) is not passed:
            found.append(f"{name} {'fails' if passed else 'passes'} here")
    return found
