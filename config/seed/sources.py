"""Models and data sets of the demo: registered by their owners, one only claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import SigningKey
from colophon.digest import sha256
from colophon.pipeline import Pipeline
from config.seed.people import Person
from provenance.models import Source
from provenance.register import register_source

TEACH = {"ai_generative_training": "allowed", "ai_training": "allowed"}
NO_TEACHING = {"ai_generative_training": "notAllowed", "ai_training": "notAllowed"}


@dataclass(frozen=True)
class Plan:
    """One source as its owner registers it; the digest stands for its weights."""

    kind: str
    name: str
    version: str
    by: str
    ask_ppm: int | None
    description: str
    trained_on: tuple[str, ...] = ()
    owner: str = ""

    @property
    def digest(self) -> bytes:
        return sha256(f"{self.name} {self.version} (demo)".encode())


PLANS = {
    "kyst": Plan(
        "dataset",
        "Norsk Kyst",
        "1.2",
        "dan",
        40_000,
        "84,000 photographs of the Norwegian coast, each released for training.",
    ),
    "harbor": Plan(
        "dataset",
        "Open Harbor Nights",
        "2025.1",
        "dan",
        30_000,
        "Long exposures of working harbors, with the photographers' consent.",
    ),
    "meridian": Plan(
        "dataset",
        "Meridian Street Archive",
        "3",
        "pavel",
        None,
        "Scans of street posters. Named by those who used it; its owner has not "
        "come forward, so that its part is kept for them.",
        owner="Meridian Street Archive",
    ),
    "tidewater": Plan(
        "model",
        "Tidewater-XL",
        "3.1",
        "mia",
        80_000,
        "Seascapes and light. Every image it learned from is in a registered set.",
        trained_on=("kyst",),
    ),
    "ink": Plan(
        "model",
        "Tessera Ink",
        "2.0",
        "mia",
        60_000,
        "Line and wash from a short description.",
        trained_on=("harbor",),
    ),
    "lumen": Plan(
        "model",
        "Lumen Sketch",
        "1.4",
        "pavel",
        50_000,
        "Poster studies.",
        trained_on=("meridian",),
    ),
}


def register(people: Mapping[str, Person]) -> dict[str, Source]:
    """Register what is not there yet; gives the sources by their short names."""
    made: dict[str, Source] = {}
    for name, plan in PLANS.items():
        claimed = bool(plan.owner)
        made[name] = register_source(
            party=people[plan.by].party,
            kind=plan.kind,
            name=plan.name,
            version=plan.version,
            digest=plan.digest,
            ask_ppm=plan.ask_ppm,
            description=plan.description,
            training=TEACH if plan.kind == "dataset" else NO_TEACHING,
            own=not claimed,
            owner_name=plan.owner,
            trained_on=[made[one] for one in plan.trained_on],
        )
    return made


def enroll(people: Mapping[str, Person], site: str, recorders: set[str]) -> datetime:
    """Enroll the makers' keys and the models' runtime keys; when the last one was."""
    for name in sorted(recorders):
        with Pipeline(site, people[name].api_key) as api:
            _once(api, people[name].key)
    for name, plan in PLANS.items():
        if plan.kind == "model":
            owner = people[plan.by]
            with Pipeline(site, owner.api_key) as api:
                _once(api, owner.runtime_key(name), plan.digest)
    newest = SigningKey.objects.order_by("-enrolled_at").first()
    assert newest is not None
    return newest.enrolled_at


def _once(api: Pipeline, key: object, model: bytes | None = None) -> None:
    from colophon.keys import Ed25519Key

    assert isinstance(key, Ed25519Key)
    if SigningKey.objects.filter(key_id=key.key_id).exists():
        return
    if model is None:
        api.enroll(key)
    else:
        api.enroll(key, purpose="runtime", models=(model,))
