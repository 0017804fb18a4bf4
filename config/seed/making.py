"""Make the works: draw them, record the steps as they happen, upload the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from PIL import Image

from colophon.recorder import Recording, record
from config.seed import art, grounds
from config.seed.people import Person
from config.seed.sources import PLANS
from config.seed.works import Work
from provenance.declare import IPTC
from provenance.files import local_copy
from provenance.intake import Draft, take_in
from provenance.models import Asset, Rendition, Run

PARTS = (0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Studio:
    """Where the demo's people work.

    Attributes:
        site: address that recorders talk to.
        people: by first name.
        folder: their files.
    """

    site: str
    people: Mapping[str, Person]
    folder: Path

    def make(self, work: Work, earlier: Mapping[str, Asset]) -> Asset:
        """Draw, record and upload one work; the same one when it is there already.

        Args:
            earlier: works that were made before, for those that use one.
        """
        maker = self.people[work.by]
        if existing := Asset.objects.filter(
            party=maker.party, title=work.title
        ).first():
            return existing
        run: Run | None = None
        if work.recorded:
            path, code = self._record(work, maker, earlier)
            run = Run.objects.get(code=code)
        else:
            path = self._draw(work)
        with path.open("rb") as file:
            asset = take_in(file, path.name, maker.party, self._draft(work), run)
        if work.newer_than:
            Asset.objects.filter(pk=asset.pk).update(
                supersedes=earlier[work.newer_than]
            )
        return asset

    def _draft(self, work: Work) -> Draft:
        use = "allowed" if work.teach else "notAllowed"
        return Draft(
            title=work.title,
            description=work.words,
            alt_text=work.alt,
            creator_name=self.people[work.by].user.name,
            origin="" if work.recorded else work.how,
            training={"ai_generative_training": use, "ai_training": use},
        )

    def _ground(self, work: Work) -> Image.Image:
        folder = self.folder / "grounds"
        folder.mkdir(parents=True, exist_ok=True)
        return grounds.ground(work, folder)

    def _path(self, work: Work, name: str) -> Path:
        folder = self.folder / work.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def _draw(self, work: Work) -> Path:
        """The finished picture of a work that is declared at upload."""
        path = art.save(
            self._ground(work),
            self._path(work, f"{work.key}.jpg"),
        )
        if work.fate == "refused":
            path.write_bytes(path.read_bytes()[:20_000])
        return path

    def _record(
        self, work: Work, maker: Person, earlier: Mapping[str, Asset]
    ) -> tuple[Path, str]:
        """Record a run; gives the finished file and the run's id."""
        ground = self._ground(work)
        with record(
            work.title,
            site=self.site,
            api_key=maker.api_key,
            key=maker.key,
            home=maker.folder / "recorder",
            strict=True,
            proxies=True,
        ) as run:
            if work.model:
                path = self._generate(run, work, ground)
            else:
                path = self._by_hand(run, work, ground)
            if work.how == "with-model":
                path = self._paint(run, work, path)
            if work.how == "remix":
                path = self._place(run, work, path, earlier[work.uses])
            return path, run.id

    def _generate(self, run: Recording, work: Work, ground: Image.Image) -> Path:
        """A model makes the ground; the machine that runs it signs with its key."""
        model = PLANS[work.model]
        path = self._path(work, "ground.jpg")
        with run.step(
            "c2pa.created",
            source_type=IPTC + "trainedAlgorithmicMedia",
            kind="agent",
            tool=f"{model.name} runtime",
            tool_version=model.version,
            key=self.people[model.by].runtime_key(work.model),
        ) as step:
            step.model(model.digest, f"{model.name} {model.version}")
            for name in model.trained_on:
                data = PLANS[name]
                step.source(data.digest, f"{data.name} {data.version}")
            step.prompt(f"{work.alt.lower()}, {work.style}")
            step.parameters(seed=work.seed, steps=40 + work.seed % 20)
            step.output(art.save(ground, path))
        return path

    def _by_hand(self, run: Recording, work: Work, ground: Image.Image) -> Path:
        """A person draws; the versions on the way are named as evidence."""
        path = self._path(work, f"{work.key}.{work.form}")
        with run.step(
            "c2pa.created",
            source_type=IPTC + "digitalCreation",
            kind="human",
            tool=work.tools[0],
            tool_version=work.tools[1],
        ) as step:
            self._versions(step, work, ground)
            step.output(art.save(art.brush(ground, work.seed, part=1.0), path))
        return path

    def _paint(self, run: Recording, work: Work, ground: Path) -> Path:
        """A person paints over what the model made."""
        path = self._path(work, f"{work.key}.jpg")
        with Image.open(ground) as opened:
            under = opened.convert("RGB")
        with run.step(
            "c2pa.drawing",
            source_type=IPTC + "humanEdits",
            kind="human",
            tool=work.tools[0],
            tool_version=work.tools[1],
        ) as step:
            step.input(ground)
            self._versions(step, work, under)
            step.output(art.save(art.brush(under, work.seed, part=1.0), path))
        return path

    def _versions(self, step: object, work: Work, under: Image.Image) -> None:
        from colophon.recorder import Draft as StepDraft

        assert isinstance(step, StepDraft)
        for part in PARTS[:-1]:
            path = self._path(work, f"progress-{round(part * 100)}.jpg")
            version = art.brush(under, work.seed, part=part)
            version.thumbnail((512, 512))
            step.intermediate(art.save(version, path))

    def _place(self, run: Recording, work: Work, ground: Path, used: Asset) -> Path:
        """A person places an earlier work, as everybody can download it, in theirs."""
        sealed = used.renditions.get(kind=Rendition.Kind.SEALED)
        part = self._path(work, f"{work.uses}.jpg")
        with local_copy(sealed.path) as copy:
            part.write_bytes(copy.read_bytes())
        path = self._path(work, f"{work.key}-final.jpg")
        with run.step(
            "c2pa.edited",
            source_type=IPTC + "humanEdits",
            kind="human",
            tool=work.tools[0],
            tool_version=work.tools[1],
        ) as step:
            step.input(ground)
            step.input(part, relation="componentOf")
            with Image.open(ground) as below, Image.open(part) as above:
                made = below.convert("RGB")
                print_ = above.convert("RGB")
                print_.thumbnail((made.width * 3 // 5, made.height * 3 // 5))
                made.paste(print_, (made.width // 5, made.height // 6))
            step.output(art.save(made, path))
        return path


def studio(site: str, people: Mapping[str, Person]) -> Studio:
    """The studio of this installation."""
    return Studio(site, people, Path(settings.VAR_DIR) / "studio")
