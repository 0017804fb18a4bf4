"""The policy's criteria as code: one small function for each criterion id.

A function reads facts and thresholds and answers (passed, why). Which criteria
count, at which level and in which words, is data: colophon/policy.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from colophon.facts import Facts, StepFact

Thresholds = Mapping[str, int]
Answer = tuple[bool, str]
Criterion = Callable[[Facts, Thresholds], Answer]


def _flag(name: str, otherwise: str) -> Criterion:
    """The criterion that one fact is so."""

    def judge(facts: Facts, _limits: Thresholds) -> Answer:
        held = bool(getattr(facts, name))
        return held, "" if held else otherwise

    return judge


def _e1_seal(facts: Facts, _limits: Thresholds) -> Answer:
    if not facts.seal_signed:
        return False, "no seal with the signature of a known platform key"
    return facts.seal_key_good, "" if facts.seal_key_good else "the key was revoked"


def _e1_credential(facts: Facts, _limits: Thresholds) -> Answer:
    if facts.credential not in {"valid", "trusted"}:
        return False, "no Content Credential, or a broken one"
    if not facts.credential_clean:
        return False, "a signature or a hash in its history does not hold"
    return True, ""


def _e1_signer(facts: Facts, _limits: Thresholds) -> Answer:
    known = facts.credential == "trusted"
    return known, "" if known else "the signer is on no list of the trust file"


def _e1_actions(facts: Facts, _limits: Thresholds) -> Answer:
    if not facts.attributed_actions:
        return False, "the actions are not the signer's own statement"
    complete = facts.all_actions_included
    return complete, "" if complete else "the list of actions may have gaps"


def _e2_clock(facts: Facts, _limits: Thresholds) -> Answer:
    if facts.anchor is not None and facts.anchor.final:
        return True, _chain_words(facts)
    if facts.timestamp_at is not None:
        return True, "RFC 3161 time-stamp"
    return False, "neither a final anchor nor a trusted time-stamp"


def _e2_account(facts: Facts, _limits: Thresholds) -> Answer:
    return bool(facts.identities), ", ".join(facts.identities) or "nothing verified"


def _e3_chain(facts: Facts, _limits: Thresholds) -> Answer:
    if not facts.steps:
        return False, "no recorded steps"
    if not facts.chain_complete:
        return False, "the steps do not connect from the first to this file"
    for number, step in enumerate(facts.steps, 1):
        if not step.resolved:
            return False, f"step {number} uses something that no record names"
    return True, f"{len(facts.steps)} steps"


def _e3_keys(facts: Facts, _limits: Thresholds) -> Answer:
    for number, step in enumerate(facts.steps, 1):
        if not step.signed:
            return False, f"step {number} is not signed by the key it names"
        if not step.enrolled:
            return False, f"the key of step {number} was not enrolled before the ticket"
    return bool(facts.steps), "" if facts.steps else "no recorded steps"


def _e3_bracket(facts: Facts, limits: Thresholds) -> Answer:
    if facts.ticket_at is None or facts.covered_at is None:
        return False, "no ticket, or no proven time after the last step"
    if not all(step.ticketed for step in facts.steps):
        return False, "a step does not belong to the ticket"
    seconds = int((facts.covered_at - facts.ticket_at).total_seconds())
    within = 0 <= seconds <= limits["bracket_seconds"]
    return within, f"{seconds} seconds from the ticket to the proof"


def _e3_custody(facts: Facts, _limits: Thresholds) -> Answer:
    held = bool(facts.steps) and all(step.client_held for step in facts.steps)
    return held, "" if held else "a step was signed with a key that the platform keeps"


def _e3_readable(facts: Facts, _limits: Thresholds) -> Answer:
    for number, step in enumerate(facts.steps, 1):
        if not step.readable:
            return (
                False,
                f"step {number} does not say what was done, or contradictorily",
            )
    return bool(facts.steps), "" if facts.steps else "no recorded steps"


def _e3_models(facts: Facts, _limits: Thresholds) -> Answer:
    for number, step in enumerate(facts.steps, 1):
        if step.ai and not step.registered_model:
            return False, f"step {number} uses AI but names no registered model"
    return bool(facts.steps), "" if facts.steps else "no recorded steps"


def _e3_grounded(facts: Facts, limits: Thresholds) -> Answer:
    if not facts.steps:
        return False, "no recorded steps"
    lent = 0  # change accepted because most of the picture is grounded already
    for number, step in enumerate(facts.steps, 1):
        if step.outside_pictures and not step.captured:
            return False, f"step {number} starts from a picture of unproven origin"
        if not step.perceptible or _grounds_itself(step, limits):
            continue
        if number > 1 and step.changed_ppm is not None:
            lent += step.changed_ppm
            if lent <= limits["local_edit_ppm"]:
                continue
        return False, f"step {number}: {_missing_ground(step)}"
    return True, ""


def _grounds_itself(step: StepFact, limits: Thresholds) -> bool:
    """Whether something other than the maker's word supports a perceptible step."""
    if step.ai:
        return step.runtime
    if step.actor_kind == "human" and step.intermediates >= limits["intermediates"]:
        return True
    return step.captured


def _missing_ground(step: StepFact) -> str:
    if step.ai:
        return "the model's owner did not enroll the key that names the model"
    if step.actor_kind == "human":
        return "too few pictures of the work in progress"
    return "a finished result, with nothing that shows how it came about"


def _e3_changes(facts: Facts, _limits: Thresholds) -> Answer:
    if facts.undeclared_changes:
        return False, f"{facts.undeclared_changes} changes that no step declares"
    silent = any(not step.perceptible and not step.same_bytes for step in facts.steps)
    if silent and not facts.changes_examined:
        return False, "steps that claim to change nothing were not compared"
    return bool(facts.steps), "" if facts.steps else "no recorded steps"


def _e3_clocks(facts: Facts, limits: Thresholds) -> Answer:
    if facts.anchor is None or not facts.anchor.final or facts.timestamp_at is None:
        return False, "needs both an anchor and a time-stamp"
    apart = abs((facts.anchor.block_at - facts.timestamp_at).total_seconds())
    agree = apart <= limits["clock_difference_seconds"]
    return agree, f"{int(apart)} seconds apart; {_chain_words(facts)}"


def _e3_first(facts: Facts, _limits: Thresholds) -> Answer:
    if not facts.examined:
        return False, "not compared with earlier works"
    earlier = facts.earlier_look_alikes
    return earlier == 0, f"looks like {earlier} earlier works" if earlier else ""


def _e4_corroborated(facts: Facts, limits: Thresholds) -> Answer:
    kinds = sorted(facts.corroborations)
    enough = len(kinds) >= limits["corroborations"]
    return enough, ", ".join(kinds) or "nobody else has confirmed it"


def _chain_words(facts: Facts) -> str:
    if facts.anchor is None:
        return ""
    kind = "public chain" if facts.anchor.public else "test network"
    return f"{kind} {facts.anchor.chain_id}"


CRITERIA: Mapping[str, Criterion] = {
    "e1.file": _flag("file_known", "the file is not the sealed one"),
    "e1.seal": _e1_seal,
    "e1.credential": _e1_credential,
    "e1.signer": _e1_signer,
    "e1.actions": _e1_actions,
    "e2.log": _flag("seal_logged", "no proof that holds"),
    "e2.clock": _e2_clock,
    "e2.account": _e2_account,
    "e3.chain": _e3_chain,
    "e3.keys": _e3_keys,
    "e3.bracket": _e3_bracket,
    "e3.custody": _e3_custody,
    "e3.readable": _e3_readable,
    "e3.models": _e3_models,
    "e3.grounded": _e3_grounded,
    "e3.changes": _e3_changes,
    "e3.clocks": _e3_clocks,
    "e3.first": _e3_first,
    "e4.corroborated": _e4_corroborated,
    "r1.terms": _flag("terms_hashed", "no license terms attached"),
    "r2.shares": _flag("shares_sum", "the shares are not 100 %"),
    "r2.accepted": _flag("accepted", "somebody has not accepted yet"),
    "r2.claimed": _flag(
        "all_claimed", "a part is held back for an owner who has not come forward"
    ),
}
