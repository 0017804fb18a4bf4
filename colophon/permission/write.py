"""Say a permission in each of the six vocabularies; what one cannot say gets stricter.

A use about which nothing was said stays unsaid where the vocabulary lets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from colophon.permission.uses import (
    ALLOWED,
    CONSTRAINED,
    NOT_ALLOWED,
    USES,
    stricter,
)
from colophon.permission.vocabularies import (
    ERC7517,
    GENERATIVE,
    MINED,
    MINING,
    PLUS,
    PLUS_CONDITIONAL,
)
from colophon.permission.vocabularies import INFERENCE as INPUT
from colophon.permission.vocabularies import TRAINING as LEARN

BY_ID = {use: key for key, use in ERC7517.items()}


def to_six(uses: Mapping[str, str], terms: str) -> dict[str, Any]:
    """The permission as cawg, plus, erc7517, aipref, rsl and tdmrep say it.

    Args:
        uses: value for each use; unsaid uses are left out.
        terms: address or words where the conditions of a constrained use stand.
    """
    return {
        "cawg": _cawg(uses, terms),
        "plus": _plus(uses, terms),
        "erc7517": {BY_ID[use]: uses[use] for use in USES if use in uses},
        "aipref": _aipref(uses),
        "rsl": _rsl(uses),
        "tdmrep": _tdmrep(uses, terms),
    }


def _cawg(uses: Mapping[str, str], terms: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for use in USES:
        if use in uses:
            entry = {"use": uses[use]}
            if uses[use] == CONSTRAINED:
                entry["constraint_info"] = terms
            found[f"cawg.{use}"] = entry
    return {"entries": found}


def _plus(uses: Mapping[str, str], terms: str) -> str:
    """The weakest PLUS term that is at least as strict in every limited use."""
    limits = {use: value for use, value in uses.items() if value != ALLOWED}
    if not limits:
        return "DMI-ALLOWED" if len(uses) == len(USES) else "DMI-UNSPECIFIED"
    by_conditions = f"{PLUS_CONDITIONAL[0]} {terms}"
    said = {**PLUS, by_conditions: dict.fromkeys(USES, CONSTRAINED)}
    weakest_first = (
        "DMI-PROHIBITED-GENAIMLTRAINING",
        "DMI-PROHIBITED-AIMLTRAINING",
        by_conditions,
        "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
    )
    for term in weakest_first:
        if all(
            stricter(said[term].get(use), limits[use]) == said[term].get(use)
            for use in limits
        ):
            return term
    return "DMI-PROHIBITED"


def _aipref(uses: Mapping[str, str]) -> str:
    """A Content-Usage value; conditions and inference it cannot say become a no."""
    if len(uses) == len(USES) and set(uses.values()) == {ALLOWED}:
        return "all=y"
    if INPUT in uses and uses[INPUT] != ALLOWED:
        return "all=n"  # it has no label for inference alone
    found = []
    if MINING in uses:
        found.append("search=n" if uses[MINING] == NOT_ALLOWED else "search=y")
    # Its training label covers generative models: a yes only where both are a yes.
    if LEARN in uses and (uses[LEARN] != ALLOWED or GENERATIVE in uses):
        found.append(f"train-ai={_yes(uses[LEARN])}")
    if GENERATIVE in uses:
        found.append(f"train-genai={_yes(uses[GENERATIVE])}")
    return ", ".join(found)


def _yes(value: str) -> str:
    return "y" if value == ALLOWED else "n"


def _rsl(uses: Mapping[str, str]) -> str:
    """A license element; generative training is not told from other training."""
    learning = stricter(uses.get(LEARN), uses.get(GENERATIVE))
    if uses.get(LEARN) is None or uses.get(GENERATIVE) is None:
        learning = None if learning == ALLOWED else learning
    values = {
        "search": uses.get(MINING),
        "ai-input": uses.get(INPUT),
        "ai-train": learning,
    }
    if len(uses) == len(USES) and set(uses.values()) == {ALLOWED}:
        return _license(["all"], [], paid=False)
    permits = [key for key, value in values.items() if value in {ALLOWED, CONSTRAINED}]
    prohibits = [key for key, value in values.items() if value == NOT_ALLOWED]
    paid = CONSTRAINED in {values[key] for key in permits}
    return _license(permits, prohibits, paid=paid)


def _license(permits: list[str], prohibits: list[str], *, paid: bool) -> str:
    parts = []
    if permits:
        parts.append(f'<permits type="usage">{" ".join(permits)}</permits>')
    if prohibits:
        parts.append(f'<prohibits type="usage">{" ".join(prohibits)}</prohibits>')
    if paid:
        parts.append(f"<payment type={quoteattr('use')}/>")
    return f"<license>{''.join(parts)}</license>"


def _tdmrep(uses: Mapping[str, str], terms: str) -> str:
    """A reservation covers mining and training at once, and has no word for inference.

    Whoever limits inference reserves the rest too; "" where nothing is said of mining.
    """
    value = None if uses.get(INPUT) == ALLOWED else uses.get(INPUT)
    for use in MINED:
        value = stricter(value, uses.get(use))
    if value == CONSTRAINED:
        return f"1 {terms}"
    if value == NOT_ALLOWED:
        return "1"
    return "0" if MINING in uses else ""
