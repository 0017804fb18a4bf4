"""Every record kind besides the step: a builder and a parser for each.

A builder ``records.<kind>(…)`` takes keywords and gives a statement to sign; the
parser ``records.parse_<kind>(statement)`` gives a frozen dataclass or an InputError
that names the field. A builder runs its parser, so what it gives can be read. The
registry of kinds is docs/statements.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from colophon.enrollment import parse_enrollment, parse_revocation
from colophon.errors import InputError
from colophon.fields import Fields
from colophon.records.agreements import (
    Acceptance,
    Agreement,
    Part,
    acceptance,
    agreement,
    parse_acceptance,
    parse_agreement,
)
from colophon.records.assets import (
    Examination,
    Seal,
    Standing,
    examination,
    parse_examination,
    parse_seal,
    parse_standing,
    seal,
    standing,
)
from colophon.records.beginnings import (
    CheckpointKey,
    Source,
    Ticket,
    checkpoint_key,
    parse_checkpoint_key,
    parse_source,
    parse_ticket,
    source,
    ticket,
)
from colophon.records.disputes import Dispute, dispute, parse_dispute
from colophon.records.sales import (
    Delivery,
    License,
    Refund,
    Settlement,
    Usage,
    delivery,
    license_issued,
    parse_delivery,
    parse_license,
    parse_refund,
    parse_settlement,
    parse_usage,
    refund,
    settlement,
    usage,
)
from colophon.records.verdicts import (
    Review,
    Verdict,
    parse_policy,
    parse_review,
    parse_verdict,
    policy,
    review,
    verdict,
)
from colophon.statement import (
    ACCEPTANCE_TYPE,
    AGREEMENT_TYPE,
    CHECKPOINT_KEY_TYPE,
    DELIVERY_TYPE,
    DISPUTE_TYPE,
    ENROLLMENT_TYPE,
    EXAMINATION_TYPE,
    LICENSE_TYPE,
    POLICY_TYPE,
    REFUND_TYPE,
    REVIEW_TYPE,
    REVOCATION_TYPE,
    SEAL_TYPE,
    SETTLEMENT_TYPE,
    SOURCE_TYPE,
    STANDING_TYPE,
    STEP_TYPE,
    TICKET_TYPE,
    USAGE_TYPE,
    VSA_TYPE,
)
from colophon.steps import parse_step

__all__ = [
    "PARSERS",
    "TYPES",
    "Acceptance",
    "Agreement",
    "CheckpointKey",
    "Delivery",
    "Dispute",
    "Examination",
    "License",
    "Part",
    "Refund",
    "Review",
    "Seal",
    "Settlement",
    "Source",
    "Standing",
    "Ticket",
    "Usage",
    "Verdict",
    "acceptance",
    "agreement",
    "checkpoint_key",
    "delivery",
    "dispute",
    "examination",
    "kind_of",
    "license_issued",
    "parse",
    "parse_acceptance",
    "parse_agreement",
    "parse_checkpoint_key",
    "parse_delivery",
    "parse_dispute",
    "parse_examination",
    "parse_license",
    "parse_policy",
    "parse_refund",
    "parse_review",
    "parse_seal",
    "parse_settlement",
    "parse_source",
    "parse_standing",
    "parse_ticket",
    "parse_usage",
    "parse_verdict",
    "policy",
    "refund",
    "review",
    "seal",
    "settlement",
    "source",
    "standing",
    "ticket",
    "usage",
    "verdict",
]

# Log-entry kind -> predicate type.
TYPES: Mapping[str, str] = {
    "acceptance": ACCEPTANCE_TYPE,
    "agreement": AGREEMENT_TYPE,
    "checkpoint-key": CHECKPOINT_KEY_TYPE,
    "delivery": DELIVERY_TYPE,
    "dispute": DISPUTE_TYPE,
    "enrollment": ENROLLMENT_TYPE,
    "examination": EXAMINATION_TYPE,
    "license": LICENSE_TYPE,
    "policy": POLICY_TYPE,
    "refund": REFUND_TYPE,
    "review": REVIEW_TYPE,
    "revocation": REVOCATION_TYPE,
    "seal": SEAL_TYPE,
    "settlement": SETTLEMENT_TYPE,
    "source": SOURCE_TYPE,
    "standing": STANDING_TYPE,
    "step": STEP_TYPE,
    "ticket": TICKET_TYPE,
    "usage": USAGE_TYPE,
    "verdict": VSA_TYPE,
}

PARSERS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "acceptance": parse_acceptance,
    "agreement": parse_agreement,
    "checkpoint-key": parse_checkpoint_key,
    "delivery": parse_delivery,
    "dispute": parse_dispute,
    "enrollment": parse_enrollment,
    "examination": parse_examination,
    "license": parse_license,
    "policy": parse_policy,
    "refund": parse_refund,
    "review": parse_review,
    "revocation": parse_revocation,
    "seal": parse_seal,
    "settlement": parse_settlement,
    "source": parse_source,
    "standing": parse_standing,
    "step": parse_step,
    "ticket": parse_ticket,
    "usage": parse_usage,
    "verdict": parse_verdict,
}
_KINDS = {uri: kind for kind, uri in TYPES.items()}


def kind_of(value: Mapping[str, Any]) -> str:
    """The kind of a statement, by its predicate type.

    Raises:
        InputError: a predicate type that is not in the registry.
    """
    uri = Fields(value).text("predicateType")
    if uri not in _KINDS:
        raise InputError("is not a known predicate type", "predicateType")
    return _KINDS[uri]


def parse(value: dict[str, Any]) -> Any:
    """Read a statement of any kind with its parser.

    Raises:
        InputError: an unknown kind, or names the field that is wrong.
    """
    return PARSERS[kind_of(value)](value)
