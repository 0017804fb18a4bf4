"""The crosswalk as data: what each term of each vocabulary says about each use.

A change is a new version with a new digest. Sources: CAWG training and data mining
1.1; PLUS LDF 2.0 as adopted by IPTC 2023.1; ERC-7517; AIPREF vocab-05 (a draft whose
labels still move); RSL 1.0; TDMRep (W3C community group, 2024) with ODRL 2.2; SPDX.
"""

from __future__ import annotations

from typing import Any

from colophon.digest import canonical, sha256
from colophon.permission.uses import ALLOWED, CONSTRAINED, NOT_ALLOWED, USES

MINING, INFERENCE, TRAINING, GENERATIVE = USES
LEARNING = (TRAINING, GENERATIVE)
AI = (INFERENCE, *LEARNING)
MINED = (MINING, *LEARNING)

NAMES = {
    "cawg": "CAWG training and data mining 1.1",
    "plus": "PLUS Data Mining (IPTC)",
    "erc7517": "ERC-7517",
    "aipref": "AIPREF Content-Usage (draft)",
    "rsl": "RSL 1.0",
    "tdmrep": "TDMRep and ODRL",
    "license": "License (SPDX id)",
    "owner": "Chosen at registration",
}


def _all(value: str, *uses: str) -> dict[str, str]:
    return dict.fromkeys(uses or USES, value)


# PLUS: a "see constraint" says no, except as the words beside it allow.
PLUS: dict[str, dict[str, str]] = {
    "DMI-UNSPECIFIED": {},
    "DMI-ALLOWED": _all(ALLOWED),
    "DMI-PROHIBITED": _all(NOT_ALLOWED),
    "DMI-PROHIBITED-AIMLTRAINING": _all(NOT_ALLOWED, *LEARNING),
    "DMI-PROHIBITED-GENAIMLTRAINING": _all(NOT_ALLOWED, GENERATIVE),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": {
        **_all(NOT_ALLOWED, *AI),
        MINING: CONSTRAINED,
    },
}
PLUS_CONDITIONAL = (
    "DMI-PROHIBITED-SEECONSTRAINT",
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR",
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR",
)
ERC7517: dict[str, str] = {
    "dataMining": MINING,
    "aiInference": INFERENCE,
    "aiTraining": TRAINING,
    "aiGenerativeTraining": GENERATIVE,
}
# With credit only: a yes is a condition, a no is a no.
ERC7517_AUTHORSHIP: dict[str, str] = {
    "aiTrainingWithAuthorship": TRAINING,
    "aiGenerativeTrainingWithAuthorship": GENERATIVE,
}
# Label: uses, and what its yes means for them. Its no is a no.
AIPREF: dict[str, tuple[tuple[str, ...], str]] = {
    "all": (USES, ALLOWED),
    "training": (LEARNING, ALLOWED),
    "train-ai": (LEARNING, ALLOWED),
    "foundation-model-training": ((GENERATIVE,), ALLOWED),
    "train-genai": ((GENERATIVE,), ALLOWED),
    "search": ((MINING,), CONSTRAINED),
}
RSL: dict[str, tuple[tuple[str, ...], str]] = {
    "all": (USES, ALLOWED),
    "ai-all": (AI, ALLOWED),
    "ai-train": (LEARNING, ALLOWED),
    "ai-input": ((INFERENCE,), ALLOWED),
    "ai-index": ((MINING,), CONSTRAINED),
    "search": ((MINING,), CONSTRAINED),
}
TDMREP: dict[str, dict[str, str]] = {
    "0": _all(ALLOWED, MINING),
    "1": _all(NOT_ALLOWED, *MINED),
    "1 with policy": _all(CONSTRAINED, *MINED),
}
# ODRL has no words of its own for training; whoever prohibits all use prohibits it.
ODRL: dict[str, tuple[str, ...]] = {
    "use": USES,
    "reproduce": MINED,
    "mine": MINED,
    "tdm:mine": MINED,
    "data_mining": (MINING,),
    "ai_inference": (INFERENCE,),
    "ai_training": LEARNING,
    "ai_generative_training": (GENERATIVE,),
}
_FREE = ("CC0-1.0", "PDDL-1.0", "Unlicense", "CDLA-Permissive-2.0")
_CONDITIONS = (
    *(f"CC-BY{mark}-4.0" for mark in ("", "-SA", "-NC", "-ND", "-NC-SA", "-NC-ND")),
    *(f"CC-BY{mark}-3.0" for mark in ("", "-SA", "-NC", "-ND", "-NC-SA", "-NC-ND")),
    "CC-BY-2.0",
    "ODC-By-1.0",
    "ODbL-1.0",
    "CDLA-Sharing-1.0",
)
# What a license of *data* says about learning from it: free, or on its conditions.
LICENSES: dict[str, dict[str, str]] = {
    **{name: _all(ALLOWED) for name in _FREE},
    **{name: _all(CONSTRAINED) for name in _CONDITIONS},
}

CROSSWALK: dict[str, Any] = {
    "v": 1,
    "id": "2026-12",
    "plus": PLUS,
    "plus_conditional": list(PLUS_CONDITIONAL),
    "erc7517": ERC7517,
    "erc7517_authorship": ERC7517_AUTHORSHIP,
    "aipref": {key: [list(uses), yes] for key, (uses, yes) in AIPREF.items()},
    "rsl": {key: [list(uses), yes] for key, (uses, yes) in RSL.items()},
    "tdmrep": TDMREP,
    "odrl": {key: list(uses) for key, uses in ODRL.items()},
    "licenses": LICENSES,
}
DIGEST = sha256(canonical(CROSSWALK))
