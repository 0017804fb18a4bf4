"""The badge policy: versioned data, and the pure function from facts to a verdict.

Four axes, never one score. A level is the highest whose criteria all pass, so less
evidence never reads better. Source: docs/badge-policy.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from colophon.criteria import CRITERIA, Answer
from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.facts import Facts
from colophon.fields import Fields, format_time
from colophon.origin import OriginClass
from colophon.origin import words as origin_words

THRESHOLDS = (
    "bracket_seconds",
    "clock_difference_seconds",
    "intermediates",
    "local_edit_ppm",
    "verdict_seconds",
    "corroborations",
)
_AXES = ("E", "R")
_MAX_LEVEL = 4
CERTIFIED_E, REVIEWED_E, CERTIFIED_R = 3, 4, 2

DECLARED = "Declared"
CREDENTIALED = "Credentialed"
CERTIFIED = "Certified provenance"
REVIEWED = "Certified, reviewed"


class Standing:
    """The values of axis 4; contested and worse override what the badge says."""

    ACTIVE = "active"
    PENDING = "pending"
    CONTESTED = "contested"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


_OVERRIDES = {
    Standing.CONTESTED: "Contested",
    Standing.SUSPENDED: "Suspended",
    Standing.EXPIRED: "Expired",
    Standing.SUPERSEDED: "Superseded",
}


@dataclass(frozen=True)
class Rule:
    """One criterion as the policy lists it."""

    id: str
    axis: str
    level: int
    words: str


@dataclass(frozen=True)
class Policy:
    """A version of the policy; its digest is in every verdict."""

    data: Mapping[str, Any]
    id: str
    thresholds: Mapping[str, int]
    rules: tuple[Rule, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Policy:
        """Read policy data.

        Raises:
            InputError: a field is missing or unknown, or this version of the
                library does not know a criterion.
        """
        outer = Fields(data)
        outer.integer("v", 1, 1)
        name = outer.text("id")
        limits = outer.object("thresholds")
        thresholds = {key: limits.integer(key) for key in THRESHOLDS}
        limits.close()
        rules = tuple(_rule(one) for one in outer.objects("criteria"))
        outer.close()
        if not rules:
            raise InputError("is empty, expected at least one", "criteria")
        return cls(dict(data), name, thresholds, rules)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical policy data."""
        return sha256(canonical(self.data))


def _rule(one: Fields) -> Rule:
    rule = Rule(
        one.text("id"),
        one.choice("axis", _AXES),
        one.integer("level", 1, _MAX_LEVEL),
        one.text("words"),
    )
    one.close()
    if rule.id not in CRITERIA:
        raise InputError("is not a criterion that this version knows", one.at("id"))
    return rule


def _rows(*rows: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"id": id_, "axis": id_[0].upper(), "level": int(id_[1]), "words": said}
        for id_, said in rows
    ]


POLICY = Policy.from_data(
    {
        "v": 1,
        "id": "2026-11",
        "thresholds": {
            "bracket_seconds": 86_400,
            "clock_difference_seconds": 21_600,
            "intermediates": 2,
            "local_edit_ppm": 500_000,
            "verdict_seconds": 604_800,
            "corroborations": 2,
        },
        "criteria": _rows(
            ("e1.file", "The file is the one that was sealed"),
            ("e1.seal", "The seal is signed by the platform"),
            ("e1.credential", "The Content Credential is intact"),
            ("e1.signer", "The credential's signer is on a named trust list"),
            ("e1.actions", "The signer states every action, as its own words"),
            ("e2.log", "The seal is in the public log"),
            ("e2.clock", "An outside clock shows when it existed"),
            ("e2.account", "Registered by an account with a verified identity"),
            ("e3.chain", "Every step from the start to this file is recorded"),
            ("e3.keys", "Each step is signed by a key enrolled beforehand"),
            ("e3.bracket", "The steps were recorded when they happened"),
            ("e3.custody", "The makers held their own keys"),
            ("e3.readable", "Each step says clearly what was done"),
            ("e3.models", "Each AI step names a registered model"),
            ("e3.grounded", "More than the maker's word supports the start"),
            ("e3.changes", "Nothing changed between steps without a step"),
            ("e3.clocks", "Two outside clocks agree"),
            ("e3.first", "No earlier work looks like it"),
            ("e4.corroborated", "People or systems other than the maker confirmed it"),
            ("r1.terms", "License terms are attached"),
            ("r2.shares", "The shares add up to 100 %"),
            ("r2.accepted", "Everyone who is paid accepted the shares"),
            ("r2.claimed", "Every owner has come forward"),
        ),
    }
)


class Met:
    """What became of a criterion.

    A criterion that is not met counts against the work only at the next level: what
    is asked for above that was not reached, which is no fault.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True)
class Outcome:
    """One criterion judged; `result` is one of `Met`."""

    id: str
    axis: str
    level: int
    passed: bool
    words: str
    detail: str
    result: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Verdict:
    """What the policy says about the facts at one moment.

    Attributes:
        evidence: 0 to 4, axis E.
        origin: axis O.
        rights: 0 to 2, axis R.
        standing: axis 4, a value of `Standing`.
        criteria: every criterion of the policy, in its order.
        word: what a badge says.
    """

    evidence: int
    origin: OriginClass
    rights: int
    standing: str
    criteria: tuple[Outcome, ...]
    word: str
    as_of: datetime
    expires_at: datetime
    policy_id: str
    policy_digest: bytes

    @property
    def verified_levels(self) -> list[str]:
        """The levels as in-toto's verification summary names them."""
        return [
            f"COLOPHON_E{self.evidence}",
            f"COLOPHON_O_{self.origin.value}",
            f"COLOPHON_R{self.rights}",
        ]

    @property
    def holds(self) -> bool:
        """Whether a summary says PASSED: sealed, and nothing speaks against it."""
        return self.evidence >= 1 and self.standing not in _OVERRIDES

    @property
    def is_certified(self) -> bool:
        """Whether the page draws the seal."""
        return self.word in {CERTIFIED, REVIEWED}

    @property
    def origin_words(self) -> str:
        """The origin in words; never better than "declared" below E3."""
        return origin_words(self.origin, self.evidence)

    def to_json(self) -> dict[str, Any]:
        """The verdict as stable JSON (docs/cli.md)."""
        return {
            "evidence": self.evidence,
            "origin": self.origin.value,
            "origin_words": self.origin_words,
            "rights": self.rights,
            "standing": self.standing,
            "word": self.word,
            "verified_levels": self.verified_levels,
            "as_of": format_time(self.as_of),
            "expires_at": format_time(self.expires_at),
            "policy": {"id": self.policy_id, "sha256": self.policy_digest.hex()},
            "criteria": [one.to_json() for one in self.criteria],
        }


def evaluate(facts: Facts, policy: Policy = POLICY, *, as_of: datetime) -> Verdict:
    """Judge facts: a pure function of (facts, policy, time).

    Args:
        facts: what checked evidence proves.
        policy: the version to judge by.
        as_of: aware moment for which the verdict is asked.
    """
    answers = [CRITERIA[one.id](facts, policy.thresholds) for one in policy.rules]
    judged = list(zip(policy.rules, answers, strict=True))
    evidence, rights = _level("E", judged), _level("R", judged)
    reached = {"E": evidence, "R": rights}
    outcomes = tuple(_outcome(one, said, reached[one.axis]) for one, said in judged)
    standing = standing_of(facts, policy, as_of=as_of)
    return Verdict(
        evidence=evidence,
        origin=facts.origin,
        rights=rights,
        standing=standing,
        criteria=outcomes,
        word=_word(evidence, facts.origin, rights, standing),
        as_of=as_of,
        expires_at=as_of + timedelta(seconds=policy.thresholds["verdict_seconds"]),
        policy_id=policy.id,
        policy_digest=policy.digest,
    )


def _outcome(rule: Rule, answer: Answer, reached: int) -> Outcome:
    passed, detail = answer
    result = Met.FAILED if rule.level <= reached + 1 else Met.NOT_REACHED
    return Outcome(
        rule.id,
        rule.axis,
        rule.level,
        passed,
        rule.words,
        detail,
        Met.PASSED if passed else result,
    )


def _level(axis: str, judged: Iterable[tuple[Rule, Answer]]) -> int:
    """The highest level whose criteria, and all below, pass; nothing is rounded up."""
    mine = [(rule.level, passed) for rule, (passed, _) in judged if rule.axis == axis]
    failed = [level for level, passed in mine if not passed]
    top = max((level for level, _ in mine), default=0)
    return min(failed) - 1 if failed else top


def standing_of(facts: Facts, policy: Policy, *, as_of: datetime) -> str:
    """Axis 4: the worse of what the platform stated and what the evidence shows.

    Without a statement by the platform it is pending. A stated "pending" ends by
    itself when the anchor is final.
    """
    at, age = facts.standing_at, 0.0
    if at is not None:
        age = (as_of - at).total_seconds()
    stale = age > policy.thresholds["verdict_seconds"]
    anchored = facts.anchor is not None and facts.anchor.final
    revoked = facts.seal_signed and not facts.seal_key_good
    stated = facts.stated
    ended = stale or stated == Standing.EXPIRED
    states = (
        (Standing.SUSPENDED, stated == Standing.SUSPENDED or revoked),
        (Standing.CONTESTED, stated == Standing.CONTESTED or facts.earlier_look_alikes),
        (Standing.SUPERSEDED, stated == Standing.SUPERSEDED),
        (Standing.EXPIRED, ended or (at and not facts.credential_current)),
        (Standing.PENDING, at is None or not anchored),
    )
    return next((name for name, holds in states if holds), Standing.ACTIVE)


def _word(evidence: int, origin: OriginClass, rights: int, standing: str) -> str:
    """The badge's word (DESIGN: words on pages)."""
    if standing in _OVERRIDES:
        return _OVERRIDES[standing]
    if evidence == 0:
        return DECLARED
    certified = (
        evidence >= CERTIFIED_E
        and origin is not OriginClass.UNKNOWN
        and rights >= CERTIFIED_R
        and standing == Standing.ACTIVE
    )
    if not certified:
        return CREDENTIALED
    return REVIEWED if evidence >= REVIEWED_E else CERTIFIED
