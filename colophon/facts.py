"""Facts: everything the policy reads about one asset, and nothing else.

Each field is filled from evidence that was checked (colophon/evidence.py), and each
default is the weakest answer, so that evidence which is missing never helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from colophon.origin import OriginClass


@dataclass(frozen=True)
class StepFact:
    """One recorded step as far as the evidence proves it.

    Attributes:
        digest: hex SHA-256 of the step's envelope.
        action: the C2PA action.
        actor_kind: human, agent or tool, as the actor says.
        perceptible: changes what a person sees or hears.
        ai: uses generative AI, by its source type.
        signed: carries the signature of the key it names.
        enrolled: that key was in the log before the ticket, and not revoked.
        client_held: the private key never was on the platform.
        ticketed: names the ticket of the bundle, and the log has it after the ticket.
        readable: has a known action, and a known source type where one is due.
        resolved: every input is an earlier output, a registered source, or a
            credentialed picture.
        registered_model: the model it names is a registered source.
        runtime: the key is a runtime key that the model's owner enrolled for this
            model, and that owner is not the one who registers the work.
        intermediates: in-progress proxies that differ from each other and from the
            proxies of inputs and outputs.
        outside_pictures: pictures that no earlier step made.
        captured: each of those (or, for a first step, its output) carries a capture
            credential by a known device or product.
        same_bytes: every output is byte for byte one of the inputs.
        changed_ppm: how much of the picture it changed, as examined; None: unknown.
    """

    digest: str
    action: str
    actor_kind: str = ""
    perceptible: bool = True
    ai: bool = False
    signed: bool = False
    enrolled: bool = False
    client_held: bool = False
    ticketed: bool = False
    readable: bool = False
    resolved: bool = False
    registered_model: bool = False
    runtime: bool = False
    intermediates: int = 0
    outside_pictures: int = 0
    captured: bool = False
    same_bytes: bool = False
    changed_ppm: int | None = None


@dataclass(frozen=True)
class Anchor:
    """A checkpoint on a chain that the trust file names."""

    chain_id: int
    public: bool
    block_at: datetime
    final: bool


@dataclass(frozen=True)
class Facts:
    """What is proven about one asset at one moment.

    Attributes:
        file_known: the file is the sealed one (or a copy tied to it by record).
        credential: "trusted", "valid", "invalid" or "" (none or not read).
        credential_clean: no failure code, in the file or in its ingredients.
        attributed_actions: the actions are among the signer's own assertions.
        all_actions_included: the signer says so, and no action is ambiguous.
        seal_signed: the seal carries a platform key's signature.
        seal_key_good: that key was not revoked before the seal.
        seal_logged: the seal is in the log, under a checkpoint by a known log key.
        anchor: the proven anchor of a checkpoint that covers the seal.
        timestamp_at: RFC 3161 time of a checkpoint that covers the seal.
        identities: verified identities of the account, such as "email".
        declared: an origin was declared or recorded at all.
        origin: class by the origin rules.
        capture_trusted: a capture credential by a known device or product is inside.
        steps: the recorded steps, in order.
        chain_complete: each step starts where the one before ended, and the last
            one ends at the registered file.
        ticket_at: when the ticket was given out.
        covered_at: when the last step was proven to exist.
        examined: the search for earlier look-alikes was made.
        earlier_look_alikes: earlier works that look like it, not cleared.
        changes_examined: the steps were compared picture by picture.
        undeclared_changes: findings of that comparison.
        terms_hashed: license terms are attached by digest.
        shares_sum: all parts sum to exactly 1,000,000 ppm.
        accepted: every party to the shares accepted.
        all_claimed: no part is held back for an owner who has not come forward.
        standing_at: when the platform last stated the standing; None: never.
        stated: what it stated then, such as "contested"; "" when it never did.
        credential_current: the signer's certificate is valid, or a trusted
            time-stamp proves that it was when it signed.
        corroborations: kinds of outside confirmation, for E4.
    """

    file_known: bool = False
    credential: str = ""
    credential_clean: bool = False
    attributed_actions: bool = False
    all_actions_included: bool = False
    seal_signed: bool = False
    seal_key_good: bool = False
    seal_logged: bool = False
    anchor: Anchor | None = None
    timestamp_at: datetime | None = None
    identities: tuple[str, ...] = ()
    declared: bool = False
    origin: OriginClass = OriginClass.UNKNOWN
    capture_trusted: bool = False
    steps: tuple[StepFact, ...] = ()
    chain_complete: bool = False
    ticket_at: datetime | None = None
    covered_at: datetime | None = None
    examined: bool = False
    earlier_look_alikes: int = 0
    changes_examined: bool = False
    undeclared_changes: int = 0
    terms_hashed: bool = False
    shares_sum: bool = False
    accepted: bool = False
    all_claimed: bool = False
    standing_at: datetime | None = None
    stated: str = ""
    credential_current: bool = False
    corroborations: frozenset[str] = frozenset()
