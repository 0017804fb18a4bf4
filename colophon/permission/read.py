"""Read one statement of one vocabulary, as it stands in files, headers and pages.

Statements come from strangers: sizes are bounded, unknown terms are errors that list
the known ones, and XML with a DOCTYPE never reaches the parser.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # a text with a DOCTYPE never reaches it
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from colophon.errors import InputError
from colophon.fields import Fields, check_text, load_json
from colophon.permission.uses import (
    ALLOWED,
    CONSTRAINED,
    NOT_ALLOWED,
    USES,
    VALUES,
    Statement,
    stricter,
)
from colophon.permission.vocabularies import (
    AIPREF,
    ERC7517,
    ERC7517_AUTHORSHIP,
    LICENSES,
    NAMES,
    ODRL,
    PLUS,
    PLUS_CONDITIONAL,
    RSL,
    TDMREP,
)

MAX_TEXT = 8_000
MAX_CLAUSE = 200
PLUS_SPACE = "http://ns.useplus.org/ldf/vocab/"
RSL_SPACE = "{https://rslstandard.org/rsl}"
_ITEM = re.compile(r"\s*([a-z][a-z0-9-]*)\s*=\s*([yn])\s*", re.ASCII)
_FREE_PAYMENT = ("free",)


def read_statement(vocabulary: str, text: str) -> Statement:
    """The statement that a text makes in a vocabulary.

    Args:
        vocabulary: cawg and erc7517 (JSON), plus (a term, then its constraint),
            aipref (the value of a Content-Usage header), rsl (its XML), tdmrep ("1"
            or "0", then the policy's address), license (an SPDX id).

    Raises:
        InputError: no such vocabulary, or a text that is none of its statements; says
            which terms are known.
    """
    if vocabulary not in _READERS:
        known = ", ".join(_READERS)
        raise InputError(f"is not one of {known}", "vocabulary")
    check_text(text, vocabulary, limit=MAX_TEXT)
    return _READERS[vocabulary](text.strip())


def read_lines(text: str) -> list[Statement]:
    """Statements one a line, each "vocabulary: statement"; empty lines are skipped.

    Raises:
        InputError: names the line.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        vocabulary, colon, said = line.partition(":")
        if not colon:
            words = "is not like “aipref: train-ai=n”: a vocabulary, a colon, its words"
            raise InputError(words, f"line {number}")
        try:
            found.append(read_statement(vocabulary.strip().lower(), said.strip()))
        except InputError as error:
            raise InputError(str(error), f"line {number}") from error
    return found


def chosen(uses: Mapping[str, str]) -> Statement:
    """What whoever registers chose themselves."""
    words = ", ".join(f"{use}={uses[use]}" for use in USES if use in uses)
    return Statement("owner", words[:MAX_CLAUSE], dict(uses))


def _cawg(text: str) -> Statement:
    body = Fields(load_json(text, max_bytes=MAX_TEXT), "cawg")
    entries = body.object("entries") if body.has("entries") else body
    uses: dict[str, str] = {}
    for key in entries.keys():  # noqa: SIM118 - Fields is no mapping
        use = key.partition(".")[2]
        if use not in USES:
            raise InputError(f"is not one of {_named(USES, 'cawg.')}", entries.at(key))
        entry = entries.object(key)
        value = entry.choice("use", VALUES)
        # CAWG 1.1: constrained without information is a no.
        if value == CONSTRAINED and not entry.has("constraint_info"):
            value = NOT_ALLOWED
        uses[use] = value
    return _said("cawg", uses)


def _plus(text: str) -> Statement:
    term, _, constraint = text.removeprefix(PLUS_SPACE).partition(" ")
    if term in PLUS_CONDITIONAL:
        value = CONSTRAINED if constraint.strip() else NOT_ALLOWED
        return Statement("plus", term, dict.fromkeys(USES, value))
    if term not in PLUS:
        raise InputError(f"is not one of {_named((*PLUS, *PLUS_CONDITIONAL))}", "plus")
    return Statement("plus", term, PLUS[term])


def _erc7517(text: str) -> Statement:
    body = Fields(load_json(text, max_bytes=MAX_TEXT), "erc7517")
    inner = (
        body.object("dataMiningPreference")
        if body.has("dataMiningPreference")
        else body
    )
    uses: dict[str, str] = {}
    for key in inner.keys():  # noqa: SIM118 - Fields is no mapping
        if key not in ERC7517 and key not in ERC7517_AUTHORSHIP:
            known = _named((*ERC7517, *ERC7517_AUTHORSHIP))
            raise InputError(f"is not one of {known}", inner.at(key[:64]))
        value = inner.choice(key, VALUES)
        use = ERC7517.get(key) or ERC7517_AUTHORSHIP[key]
        if key in ERC7517_AUTHORSHIP and value == ALLOWED:
            value = CONSTRAINED
        _tighten(uses, (use,), value)
    return _said("erc7517", uses)


def _aipref(text: str) -> Statement:
    uses: dict[str, str] = {}
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None or match[1] not in AIPREF:
            words = f"{item.strip()[:40]} is not one of {_named(AIPREF)} with =y or =n"
            raise InputError(words, "aipref")
        concerned, yes = AIPREF[match[1]]
        _tighten(uses, concerned, yes if match[2] == "y" else NOT_ALLOWED)
    return Statement("aipref", text[:MAX_CLAUSE], uses)


def _rsl(text: str) -> Statement:
    if "<!" in text or "<?xml-" in text:
        raise InputError("has a declaration; give the license element alone", "rsl")
    try:
        root = ET.fromstring(text)  # noqa: S314 - no DOCTYPE, bounded
    except ET.ParseError as error:
        raise InputError(f"is not XML: {error}", "rsl") from error
    licenses = [one for one in root.iter() if _tag(one) == "license"]
    if not licenses:
        raise InputError("has no license element", "rsl")
    uses: dict[str, str] = {}
    clauses: list[str] = []
    for one in licenses:
        for use, value in _rsl_license(one, clauses).items():
            _tighten(uses, (use,), value)
    return Statement("rsl", "; ".join(clauses)[:MAX_CLAUSE], uses)


def _rsl_license(one: ET.Element, clauses: list[str]) -> dict[str, str]:
    """One license: what it permits (for money: on a condition), and nothing else."""
    permits = _rsl_tokens(one, "permits", clauses)
    prohibits = _rsl_tokens(one, "prohibits", clauses)
    paid = [
        payment.get("type", "")
        for payment in one.iter()
        if _tag(payment) == "payment" and payment.get("type") not in _FREE_PAYMENT
    ]
    clauses += [f"payment {kind}"[:40] for kind in paid]
    # Where a license lists what it permits, what it does not list is not permitted.
    uses = dict.fromkeys(USES, NOT_ALLOWED) if permits else {}
    listed: dict[str, str] = {}
    for token in permits:
        concerned, yes = RSL[token]
        for use in concerned:
            # Permitted wholly by one token and partly by another: wholly.
            if listed.get(use) != ALLOWED:
                listed[use] = yes
    for use, value in listed.items():
        uses[use] = CONSTRAINED if paid else value
    for token in prohibits:
        _tighten(uses, RSL[token][0], NOT_ALLOWED)
    return uses


def _rsl_tokens(one: ET.Element, name: str, clauses: list[str]) -> list[str]:
    found: list[str] = []
    for part in one.iter():
        if _tag(part) != name or part.get("type", "usage") != "usage":
            continue
        tokens = (part.text or "").replace(",", " ").split()
        for token in tokens:
            if token not in RSL:
                raise InputError(f"{token[:40]} is not one of {_named(RSL)}", "rsl")
        clauses.append(f"{name} {' '.join(tokens)}")
        found += tokens
    return found


def _tag(element: ET.Element) -> str:
    return str(element.tag).removeprefix(RSL_SPACE)


def _tdmrep(text: str) -> Statement:
    bare = text.removeprefix("tdm-reservation").lstrip(": ")
    value, _, policy = bare.partition(" ")
    if value not in {"0", "1"}:
        raise InputError("is not 0 or 1, with the policy's address after a 1", "tdmrep")
    term = "1 with policy" if value == "1" and policy.strip() else value
    return Statement("tdmrep", f"tdm-reservation {term}", TDMREP[term])


def _license(text: str) -> Statement:
    by_name = {name.lower(): name for name in LICENSES}
    name = by_name.get(text.lower())
    if name is None:
        return Statement(
            "license", text[:MAX_CLAUSE], {}
        )  # it says nothing of learning
    return Statement("license", name, LICENSES[name])


def read_offer(offer: Any) -> tuple[Statement | None, list[str]]:
    """What an ODRL offer or policy says, and its actions that say nothing to us.

    A permission with a duty or a constraint is a condition. A prohibition with a
    constraint is read as a whole one.

    Raises:
        InputError: it is no object, or has rules that are none.
    """
    fields = Fields(offer, "usageInfo")
    uses: dict[str, str] = {}
    clauses: list[str] = []
    unread: list[str] = []
    for kind in ("prohibition", "permission"):
        for rule in _listed(offer, f"odrl:{kind}") + _listed(offer, kind):
            inner = Fields(rule, fields.at(kind))
            action = _action(inner)
            concerned = ODRL.get(action)
            if concerned is None:
                unread.append(f"{kind} of {action[:40]}")
                continue
            clauses.append(f"{kind} of {action}")
            _tighten(uses, concerned, _rule_value(kind, inner))
    if not clauses:
        return None, unread
    return Statement("tdmrep", "; ".join(clauses)[:MAX_CLAUSE], uses), unread


def _rule_value(kind: str, rule: Fields) -> str:
    if kind == "prohibition":
        return NOT_ALLOWED
    limits = ("duty", "constraint")
    limited = any(rule.has(name) or rule.has(f"odrl:{name}") for name in limits)
    return CONSTRAINED if limited else ALLOWED


def _action(rule: Fields) -> str:
    key = "odrl:action" if rule.has("odrl:action") else "action"
    action = rule.raw(key)
    if isinstance(action, Mapping):
        action = action.get("@id") or action.get("id")
    if not isinstance(action, str) or not action:
        raise InputError("names no action", rule.at(key))
    return action.rpartition("#")[2].rpartition("/")[2].removeprefix("odrl:")


def _listed(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _tighten(uses: dict[str, str], concerned: Iterable[str], value: str) -> None:
    for use in concerned:
        found = stricter(uses.get(use), value)
        assert found is not None
        uses[use] = found


def _said(vocabulary: str, uses: dict[str, str]) -> Statement:
    words = ", ".join(f"{use}={value}" for use, value in uses.items())
    return Statement(vocabulary, words[:MAX_CLAUSE] or "nothing", uses)


def _named(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


_READERS: dict[str, Callable[[str], Statement]] = {
    "cawg": _cawg,
    "plus": _plus,
    "erc7517": _erc7517,
    "aipref": _aipref,
    "rsl": _rsl,
    "tdmrep": _tdmrep,
    "license": _license,
}
assert set(_READERS) | {"owner"} == set(NAMES)
