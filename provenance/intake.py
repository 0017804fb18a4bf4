"""One way in for a work, from the page and from the API: declare, then upload.

Stands above the verbs: an upload without a recorded run gets a run of its own with
one declared step, so that every asset has a story, however short.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO

from accounts.models import Party
from provenance.declare import check_origin, declared_step
from provenance.errors import UploadError
from provenance.models import Asset, Run
from provenance.record import append_step
from provenance.ticket import open_run
from provenance.upload import accept_file, check_file


@dataclass(frozen=True)
class Draft:
    """What the uploader says about the work.

    Attributes:
        origin: one of `declare.ORIGINS`; needed where no run was recorded, for
            nothing is assumed about how a work was made.
    """

    title: str
    description: str = ""
    alt_text: str = ""
    creator_name: str = ""
    origin: str = ""
    training: dict[str, str] = field(default_factory=dict)


def take_in(
    file: IO[bytes], name: str, party: Party, draft: Draft, run: Run | None = None
) -> Asset:
    """Keep an uploaded file as a draft asset of a recorded or a declared run.

    Raises:
        UploadError: the file or the declaration cannot be taken; nothing was kept.
    """
    digest, _, _ = check_file(file)
    if existing := Asset.objects.filter(party=party, uploaded_digest=digest).first():
        return existing
    if run is None:
        check_origin(draft.origin)
        run = _declared(party, name, digest, draft)
    elif not run.steps.exists():
        raise UploadError("has no steps; record what was done first", "run")
    return accept_file(
        file=file,
        name=name,
        party=party,
        run=run,
        title=draft.title,
        description=draft.description,
        alt_text=draft.alt_text,
        creator_name=draft.creator_name,
        training=draft.training,
    )


def _declared(party: Party, name: str, digest: bytes, draft: Draft) -> Run:
    run = open_run(party=party, name=draft.title)
    envelope = declared_step(run=run, name=name, digest=digest, origin=draft.origin)
    append_step(run=run, envelope=envelope, party=party)
    return run
