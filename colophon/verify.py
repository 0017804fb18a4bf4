"""Verify a file against its evidence: thirteen numbered checks, one answer.

 1 file        the file is the sealed one, or a copy that a record ties to it
 2 credential  the C2PA credential is intact and is the one that was sealed
 3 signer      the credential's signer is on a trust list
 4 seal        the seal is signed by a platform key
 5 steps       every step is signed by an enrolled key, and the steps connect
 6 ticket      the steps belong to a ticket that was given out before them
 7 log         the records are in the log
 8 checkpoint  the log's head is signed by a known log key
 9 time        a time-stamping authority dates the log's head (RFC 3161)
10 anchor      the log's head is on the chain
11 agreement   the shares sum up and everyone accepted them
12 verdict     the verdict is signed, and the policy gives the same again
13 standing    nothing speaks against the work today

1 to 3 are made in filematch.py, 4 in weigh.py, 5 and 6 in stepproofs.py, 7 to 10 in
logview.py, 11 in rightsproof.py, 12 in verdictproof.py, 13 here. A failed check is a
line of the report; only what could not be read at all is an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from colophon import filematch
from colophon import statement as statements
from colophon.checks import NAMES, Check, Checklist, Code, Result
from colophon.errors import InputError
from colophon.evidence import Bundle
from colophon.fields import format_time
from colophon.filematch import CredentialFacts, FileDigests
from colophon.policy import POLICY, Standing, evaluate
from colophon.policy import Verdict as Judged
from colophon.records import Verdict as Signed
from colophon.records import parse_seal
from colophon.report import (
    EXIT_NO_EVIDENCE,
    EXIT_UNREADABLE,
    Outcome,
    Report,
)
from colophon.trust import Trust
from colophon.verdictproof import accepted_policy, check_rederived, signed_verdict
from colophon.weigh import Weighed, facts_from

_NO_TRUST = "You have no trust file, so nobody's signature can be judged."
_OBJECTIONS = (Standing.CONTESTED, Standing.SUSPENDED, Standing.SUPERSEDED)


def verify(
    file: FileDigests,
    credential: CredentialFacts,
    bundle: Bundle | None,
    trust: Trust | None,
    *,
    as_of: datetime,
    similar: Sequence[dict[str, Any]] = (),
) -> Report:
    """Verify a file: pure in its arguments.

    Args:
        file: digests of the file.
        credential: what the C2PA reader said of it.
        bundle: its evidence; None when there is none.
        trust: what you believe without proof; None when you have no trust file.
        as_of: the moment to judge for.
        similar: works that only look like it, as a search found them.
    """
    if bundle is None:
        return _without_evidence(file, credential, trust, as_of, similar)
    if trust is None:
        return _without_trust(file, credential, bundle, as_of)
    signed, checks = signed_verdict(bundle, trust, as_of)
    vouched = frozenset(signed.inputs) if signed else frozenset()
    weighed = facts_from(bundle, file, credential, trust, as_of=as_of, vouched=vouched)
    policy = accepted_policy(bundle, trust)
    if signed is not None:
        check_rederived(
            signed,
            weighed,
            checks,
            bundle=bundle,
            credential=credential,
            trust=trust,
            policy=policy,
        )
    verdict = evaluate(weighed.facts, policy or POLICY, as_of=as_of)
    _check_standing(verdict, signed, checks)
    report = _report([*weighed.checks, *checks], weighed, verdict, signed)
    return replace(
        report, file=file, trust_digest=trust.digest, bundle_digest=bundle.digest
    )


def _report(
    checks: Sequence[Check], weighed: Weighed, verdict: Judged, signed: Signed | None
) -> Report:
    """The report of a file with evidence; whose file it is comes from the caller."""
    found = _numbered(checks)
    outcome, summary = _outcome(found, weighed.match, verdict)
    return Report(
        outcome=outcome,
        summary=summary,
        file=FileDigests(b""),
        match=weighed.match,
        as_of=verdict.as_of,
        checks=found,
        verdict=verdict,
        signed=None if signed is None else _signed_json(signed),
        seal=weighed.seal,
        proven_at=weighed.proven_at,
        steps=tuple(dict(vars(step)) for step in weighed.facts.steps),
    )


# --- check 13: the standing


def _check_standing(verdict: Judged, signed: Signed | None, checks: Checklist) -> None:
    """Check 13: contested and worse speak against it; old news is no news."""
    if verdict.standing in _OBJECTIONS:
        words = f"The record of this work is {verdict.standing}."
        checks.failed(13, words, Code.OBJECTION)
    elif signed is not None and verdict.as_of > signed.expires_at:
        words = f"Its standing is unknown since {_day(signed.expires_at)}."
        checks.skipped(13, words, Code.EXPIRED)
    elif verdict.standing == Standing.EXPIRED:
        words = "Its standing was not confirmed lately, or its certificate ran out."
        checks.skipped(13, words, Code.EXPIRED)
    elif verdict.standing == Standing.PENDING:
        checks.skipped(13, "Its standing is pending: the record is not final yet.")
    else:
        checks.passed(13, "Nothing speaks against this work.")


# --- the one answer


def _outcome(
    found: Sequence[Check], match: str, verdict: Judged
) -> tuple[Outcome, str]:
    """What the checks together say about the file."""
    failed = [one for one in found if one.result is Result.FAILED]
    if match == filematch.NONE and _result(found, 1) is Result.FAILED:
        return Outcome.ALTERED, found[0].words
    broken = [one for one in failed if one.code is Code.MISMATCH]
    if broken:
        return Outcome.ALTERED, broken[0].words
    strangers = [one for one in failed if one.code is Code.UNKNOWN_SIGNER]
    if strangers:
        return Outcome.OTHER_SIGNER, strangers[0].words
    if match == filematch.NONE:
        return (
            Outcome.COULD_NOT_CHECK,
            "The evidence does not say which file it is for.",
        )
    words = f"Genuine. {found[0].words} Badge: {verdict.word}."
    if found[12].result is not Result.PASSED:
        words = f"{words} {found[12].words}"
    return Outcome.GENUINE, words


def _result(found: Sequence[Check], number: int) -> Result:
    return found[number - 1].result


def _numbered(found: Sequence[Check]) -> tuple[Check, ...]:
    """One line for each number, in order; silence is "not checked"."""
    worst = Checklist()
    for number in range(1, len(NAMES) + 1):
        mine = [one for one in found if one.number == number]
        for one in mine:
            worst.add(one)
        if not mine:
            worst.skipped(number, "Not checked: an earlier check failed.")
    return tuple(worst)


def _without_evidence(
    file: FileDigests,
    credential: CredentialFacts,
    trust: Trust | None,
    as_of: datetime,
    similar: Sequence[dict[str, Any]],
) -> Report:
    """Only the credential inside the file can be judged."""
    outcome, summary, code = _credential_alone(credential, trust)
    if outcome is Outcome.NO_RECORD and similar:
        outcome = Outcome.LOOKS_LIKE
        summary = "It looks like a recorded work, which proves nothing about this file."
    return Report(
        outcome=outcome,
        summary=summary,
        file=file,
        match=filematch.NONE,
        as_of=as_of,
        trust_digest=None if trust is None else trust.digest,
        similar=tuple(similar),
        code=code,
    )


def _credential_alone(
    credential: CredentialFacts, trust: Trust | None
) -> tuple[Outcome, str, int]:
    """Outcome, words and exit code (0: the outcome's own) for a bare credential."""
    who = credential.signer or "an unnamed signer"
    if credential.state == "error":
        words = "The file could not be examined."
        return Outcome.COULD_NOT_CHECK, words, EXIT_UNREADABLE
    if credential.state == "invalid" and not credential.clean_but_expired:
        return Outcome.ALTERED, f"The Content Credential of {who} does not hold.", 0
    if credential.state in {"none", "remote"}:
        words = "There is no record of this file. That says nothing about the file."
        return Outcome.NO_RECORD, words, 0
    if credential.steps is not None and credential.state == "trusted":
        words = f"Signed by {who} and unchanged, but its evidence is not at hand."
        return Outcome.COULD_NOT_CHECK, words, EXIT_NO_EVIDENCE
    if trust is None:
        words = f"Intact as {who} signed it. {_NO_TRUST}"
        return Outcome.COULD_NOT_CHECK, words, 0
    words = f"Intact as {who} signed it, with no record in {trust.origin}."
    return Outcome.OTHER_SIGNER, words, 0


def _without_trust(
    file: FileDigests, credential: CredentialFacts, bundle: Bundle, as_of: datetime
) -> Report:
    """Consistent or not, by the evidence's own words: never a pass."""
    checks = Checklist()
    match, seal = filematch.NONE, None
    record = bundle.one("seal")
    if record is not None:
        try:
            seal = parse_seal(statements.read_statement(record.envelope.payload))
            match = filematch.match(file, seal, (), checks)
            filematch.check_credential(credential, match, seal, checks)
        except InputError as error:
            checks.failed(4, f"The seal does not hold: {error}.")
    own = [one for one in checks if one.code is not Code.UNKNOWN_SIGNER]
    told = {one.number for one in own}
    silent = [
        Check(number, Result.NOT_CHECKED, _NO_TRUST, Code.NO_TRUST)
        for number in range(1, len(NAMES) + 1)
        if number not in told
    ]
    found = _numbered([*own, *silent])
    broken = [one for one in found if one.result is Result.FAILED]
    outcome = Outcome.ALTERED if broken else Outcome.COULD_NOT_CHECK
    summary = f"Consistent, signer not known to you. {_NO_TRUST}"
    return Report(
        outcome=outcome,
        summary=broken[0].words if broken else summary,
        file=file,
        match=match,
        as_of=as_of,
        checks=found,
        seal=seal,
        bundle_digest=bundle.digest,
    )


def with_live(report: Report, items: Sequence[Any]) -> Report:
    """The same report with what was asked of the world."""
    return replace(report, live=(*report.live, *items))


def _signed_json(signed: Signed) -> dict[str, Any]:
    return {
        "verifier": signed.verifier,
        "verified_at": format_time(signed.verified_at),
        "expires_at": format_time(signed.expires_at),
        "levels": list(signed.levels),
        "standing": signed.standing,
        "policy_sha256": signed.policy_digest.hex(),
    }


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
