"""Records of judgment: the policy, a person's review, the verdict.

A verdict is a SLSA Verification Summary v1; what that has no field for stands under
keys of our namespace, and unknown keys are ignored as in-toto asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.records.assets import STANDINGS
from colophon.records.shape import (
    about_file,
    digests,
    label,
    only_subject,
    plain,
    sha,
)
from colophon.statement import (
    NAMESPACE,
    POLICY_TYPE,
    REVIEW_TYPE,
    VSA_TYPE,
    Json,
    open_predicate,
)

PASSED, FAILED = RESULTS = ("PASSED", "FAILED")
DECISIONS = ("confirmed", "refused")
MAX_INPUTS = 2_048
MAX_LEVELS = 32
MAX_CRITERIA = 128
_STANDING_KEY = f"{NAMESPACE}/standing"
_EXPIRES_KEY = f"{NAMESPACE}/expires_at"
_CRITERIA_KEY = f"{NAMESPACE}/criteria"
_REASON = 2_000


@dataclass(frozen=True)
class Verdict:
    """What the policy computed for one file at one moment.

    Attributes:
        file: SHA-256 of the sealed file.
        inputs: envelope digests of the evidence it rests on.
        levels: such as ``COLOPHON_E3``, ``COLOPHON_O_HYBRID``, ``COLOPHON_R2``.
        criteria: (criterion id, passed).
    """

    file: bytes
    verifier: str
    verified_at: datetime
    resource: str
    policy_uri: str
    policy_digest: bytes
    inputs: tuple[bytes, ...]
    passed: bool
    levels: tuple[str, ...]
    standing: str
    expires_at: datetime
    criteria: tuple[tuple[str, bool], ...]


def verdict(
    *,
    name: str,
    file: bytes,
    verifier: str,
    verified_at: datetime,
    resource: str,
    policy_uri: str,
    policy_digest: bytes,
    levels: Sequence[str],
    standing: str,
    expires_at: datetime,
    passed: bool,
    inputs: Sequence[bytes] = (),
    criteria: Sequence[tuple[str, bool]] = (),
) -> Json:
    """The verdict statement (SLSA VSA), signed by the verdict key.

    ``passed`` is never taken for granted: it says that the file is sealed and that
    nothing speaks against its record. ``name`` is the asset's id, ``verifier`` the URI
    of who judges and ``resource`` that of the asset's page.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "verifier": {"id": verifier},
        "timeVerified": format_time(verified_at),
        "resourceUri": resource,
        "policy": {"uri": policy_uri, "digest": sha(policy_digest)},
        "inputAttestations": [{"digest": sha(one)} for one in inputs],
        "verificationResult": PASSED if passed else FAILED,
        "verifiedLevels": list(levels),
        _STANDING_KEY: standing,
        _EXPIRES_KEY: format_time(expires_at),
        _CRITERIA_KEY: [{"id": id_, "passed": ok} for id_, ok in criteria],
    }
    made = about_file(name, file, VSA_TYPE, predicate)
    parse_verdict(made)
    return made


def parse_verdict(value: Mapping[str, Any]) -> Verdict:
    """Check a verdict statement; fields of later VSA versions are ignored.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, VSA_TYPE)
    policy_fields = fields.object("policy")
    inputs = fields.objects("inputAttestations", limit=MAX_INPUTS)
    criteria = fields.objects(_CRITERIA_KEY, limit=MAX_CRITERIA)
    return Verdict(
        file=only_subject(value),
        verifier=fields.object("verifier").text("id"),
        verified_at=fields.time("timeVerified"),
        resource=fields.text("resourceUri"),
        policy_uri=policy_fields.text("uri"),
        policy_digest=policy_fields.object("digest").hexadecimal("sha256"),
        inputs=tuple(one.object("digest").hexadecimal("sha256") for one in inputs),
        passed=fields.choice("verificationResult", RESULTS) == PASSED,
        levels=_levels(fields),
        standing=fields.choice(_STANDING_KEY, STANDINGS),
        expires_at=fields.time(_EXPIRES_KEY),
        criteria=tuple((label(one, "id"), one.boolean("passed")) for one in criteria),
    )


@dataclass(frozen=True)
class Review:
    """One person's look at a work and its record.

    Attributes:
        file: SHA-256 of the sealed file.
        reviewer: party of the person.
        checklist: version of the checklist gone through.
        seen: digests of what was looked at.
        conflict: whether the reviewer declares a stake in the work.
    """

    asset: str
    file: bytes
    reviewer: str
    checklist: str
    seen: tuple[bytes, ...]
    decision: str
    reason: str
    conflict: bool
    reviewed_at: datetime


def review(
    *,
    asset: str,
    file: bytes,
    reviewer: str,
    checklist: str,
    decision: str,
    reason: str,
    reviewed_at: datetime,
    seen: Sequence[bytes] = (),
    conflict: bool = False,
) -> Json:
    """The review statement, signed by the reviewer's account key.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "asset": asset,
        "reviewer": reviewer,
        "checklist": checklist,
        "seen": [sha(one) for one in seen],
        "decision": decision,
        "reason": reason,
        "conflict": conflict,
        "reviewed_at": format_time(reviewed_at),
    }
    made = about_file(asset, file, REVIEW_TYPE, plain(predicate))
    parse_review(made)
    return made


def parse_review(value: Mapping[str, Any]) -> Review:
    """Check a review statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, REVIEW_TYPE)
    found = Review(
        asset=fields.identifier("asset"),
        file=only_subject(value),
        reviewer=fields.identifier("reviewer"),
        checklist=label(fields, "checklist"),
        seen=digests(fields, "seen", MAX_INPUTS),
        decision=fields.choice("decision", DECISIONS),
        reason=fields.text("reason", limit=_REASON),
        conflict=fields.boolean("conflict"),
        reviewed_at=fields.time("reviewed_at"),
    )
    fields.close()
    return found


def policy(data: Mapping[str, Any]) -> Json:
    """The statement that publishes a version of the badge policy.

    Its subject is the policy's digest, its predicate the policy data.

    Raises:
        InputError: the data has no canonical form or no id.
    """
    digest = sha256(canonical(dict(data)))
    name = Fields(data).text("id")
    made = about_file(f"policy/{name}", digest, POLICY_TYPE, {"policy": dict(data)})
    parse_policy(made)
    return made


def parse_policy(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policy data of a policy statement.

    Raises:
        InputError: the subject is not the data's digest.
    """
    fields = open_predicate(value, POLICY_TYPE)
    data = fields.raw("policy")
    Fields(data, fields.at("policy")).text("id")
    fields.close()
    if only_subject(value) != sha256(canonical(data)):
        raise InputError("is not the policy's digest", "subject/0/digest/sha256")
    return dict(data)


def _levels(fields: Fields) -> tuple[str, ...]:
    """The level names, of bounded number and size."""
    items = fields.items("verifiedLevels", limit=MAX_LEVELS)
    where = fields.at("verifiedLevels")
    inner = Fields({str(at): one for at, one in enumerate(items)}, where)
    return tuple(inner.text(str(at), limit=64) for at in range(len(items)))
