"""What an uploader without a pipeline says about a work, as one signed step.

It is written down afterwards with a key that Colophon keeps (`custody: server`), so
it ends at E2 whatever it says (DESIGN §5).
"""

from __future__ import annotations

from django.utils import timezone

from accounts.keys import signer_for
from colophon import __version__, statement
from colophon.acts import Actor, File, TicketRef, Tool
from colophon.steps import build_step
from provenance.envelopes import envelope_of
from provenance.errors import UploadError
from provenance.models import Run

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ORIGINS = {
    "human": ("digitalCreation", "human", "Made by a person, without generative AI"),
    "photo": ("digitalCapture", "human", "A photograph"),
    "ai": ("trainedAlgorithmicMedia", "agent", "Made by an AI model"),
    "hybrid": (
        "compositeWithTrainedAlgorithmicMedia",
        "human",
        "Part AI, part made by a person",
    ),
    "algorithm": ("algorithmicMedia", "tool", "Made by a program, without training"),
}


def check_origin(origin: str) -> None:
    """Refuse what is no answer to the question how the work was made.

    Raises:
        UploadError: missing, or not one of ORIGINS.
    """
    if not origin:
        raise UploadError(
            f"is missing; say {', '.join(ORIGINS)}, or name a recorded run", "origin"
        )
    if origin not in ORIGINS:
        raise UploadError(f"is not one of {', '.join(ORIGINS)}", "origin")


def declared_step(
    *, run: Run, name: str, digest: bytes, origin: str
) -> statement.Envelope:
    """The step that declares an upload's origin, signed with the account's key.

    Args:
        origin: one of ORIGINS, the question of the upload page.

    Raises:
        UploadError: an origin that is not one of them.
    """
    check_origin(origin)
    term, kind, _ = ORIGINS[origin]
    signer, now = signer_for(run.party), timezone.now()
    ticket = envelope_of(run.ticket)
    made, _ = build_step(
        outputs=[File(name[-160:] or "work", digest)],
        action="c2pa.created",
        actor=Actor(signer.key_id, kind, run.party.code),
        tool=Tool("Colophon upload form", __version__),
        started_on=now,
        finished_on=now,
        run=run.code,
        index=0,
        custody="server",
        ticket=TicketRef(bytes(run.nonce), ticket.digest),
        source_type=IPTC + term,
        note="Declared at upload",
    )
    return statement.sign(made, signer)
