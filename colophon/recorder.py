"""Record the steps of a pipeline as they happen, signed here, sent when possible.

    with colophon.recorder.record("spring", site=SITE, api_key=KEY) as run:
        with run.step("c2pa.created", source_type=AI, kind="agent") as step:
            step.prompt("a harbor at night")
            image = generate(...)
            step.output("draft.png")

It never breaks the pipeline: whatever goes wrong in recording is logged and the
pipeline goes on, unless `strict=True`. Steps wait in a local spool until the site
has them. Keys live where the recorder runs; prompts and parameters leave as salted
commitments and, for the owner's eyes, disclosures.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from colophon import __version__, statement
from colophon.acts import Actor, File, Input, Model, Proxies, TicketRef, Tool
from colophon.digest import sha256, sha256_stream
from colophon.ids import new_id
from colophon.keys import Signer, load_or_create
from colophon.pipeline import ApiError, Pipeline, Unreachable
from colophon.spool import Spool
from colophon.steps import build_step

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
HOME = Path(os.environ.get("COLOPHON_HOME", Path.home() / ".colophon"))
Content = Path | str | bytes


@dataclass
class Draft:
    """A step under way; the pipeline says what goes in and out."""

    inputs: list[Input] = field(default_factory=list)
    outputs: list[File] = field(default_factory=list)
    intermediates: list[bytes] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    words: str | None = None
    used: Model | None = None
    said: str | None = None

    def input(
        self, content: Content, *, name: str = "", relation: str = "parentOf"
    ) -> bytes:
        """Name a file (path) or some bytes that the step uses; gives its SHA-256."""
        digest = digest_of(content)
        self.inputs.append(Input(name or _name(content), digest, relation))
        return digest

    def source(self, digest: bytes, name: str) -> None:
        """Name a registered source, such as a data set, as an input."""
        self.inputs.append(Input(name, digest, "inputTo"))

    def output(self, content: Content, *, name: str = "") -> bytes:
        """Name a file or some bytes that the step made; gives its SHA-256."""
        digest = digest_of(content)
        self.outputs.append(File(name or _name(content), digest))
        return digest

    def intermediate(self, content: Content) -> None:
        """Name an in-progress version: evidence that the work was done by hand."""
        self.intermediates.append(digest_of(content))

    def model(self, digest: bytes, name: str = "") -> None:
        """Name the model that was run."""
        self.used = Model(digest, name or None)

    def prompt(self, text: str) -> None:
        """Commit to the prompt; the record holds no word of it."""
        self.words = text

    def parameters(self, **values: Any) -> None:
        """Commit to parameters, each on its own."""
        self.secrets |= values

    def note(self, text: str) -> None:
        """A few words that are part of the record, open to everyone who sees it."""
        self.said = text


@dataclass
class Recording:
    """One run: an ordered list of steps by one or more actors."""

    id: str
    ticket: TicketRef | None
    pipeline: Pipeline
    spool: Spool
    key: Signer
    strict: bool = False
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(
        self,
        action: str,
        *,
        source_type: str | None = None,
        kind: str = "tool",
        tool: str = "colophon recorder",
        tool_version: str = __version__,
        key: Signer | None = None,
    ) -> Iterator[Draft]:
        """Record what happens inside as one step.

        Args:
            action: a C2PA action, like `c2pa.created`.
            source_type: IPTC digital source type; needed for editorial actions.
            kind: who acts: human, agent or tool.
            key: signs this step instead of the run's key, such as a runtime key.

        An exception of the pipeline passes through, and no step is recorded.
        """
        draft, started = Draft(), datetime.now(UTC)
        yield draft
        with self._guarded():
            self._finish(
                draft,
                key or self.key,
                action=action,
                source_type=source_type,
                kind=kind,
                tool=Tool(tool, tool_version),
                started=started,
            )

    def recorded(
        self, action: str, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a function that returns a file (path or bytes) as one step."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            @functools.wraps(function)
            def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
                with self.step(action, tool=function.__name__, **options) as draft:
                    result = function(*args, **kwargs)
                    if isinstance(result, (str, bytes, Path)):
                        with self._guarded():
                            draft.output(result)
                return result

            return wrapper

        return decorate

    def flush(self) -> int:
        """Send what waits; returns how many steps still wait."""
        with self._guarded():
            flush(self.pipeline, self.spool, self.id)
        return sum(1 for _ in self.spool.waiting(self.id))

    def _finish(self, draft: Draft, key: Signer, **facts: Any) -> None:
        """Build, sign, keep and try to send one step."""
        with self._lock:
            made, openings = build_step(
                outputs=draft.outputs,
                action=facts["action"],
                actor=Actor(key.key_id, facts["kind"], None),
                tool=facts["tool"],
                started_on=facts["started"],
                finished_on=datetime.now(UTC),
                run=self.id,
                index=self.count,
                ticket=self.ticket,
                source_type=facts["source_type"],
                inputs=draft.inputs,
                model=draft.used,
                prompt=draft.words,
                parameters=draft.secrets,
                proxy=Proxies((), (), tuple(draft.intermediates))
                if draft.intermediates
                else None,
                note=draft.said,
            )
            body = {
                "envelope": statement.sign(made, key).to_json(),
                "disclosures": [one.to_json() for one in openings],
            }
            self.spool.put(self.id, self.count, body)
            self.count += 1
        flush(self.pipeline, self.spool, self.id)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Log what goes wrong in recording; raise it only where asked to."""
        try:
            yield
        except Exception as error:
            if self.strict:
                raise
            logger.warning("recording failed, the pipeline goes on: %s", error)


@contextmanager
def record(
    name: str,
    *,
    site: str,
    api_key: str,
    key: Signer | None = None,
    home: Path | None = None,
    strict: bool = False,
) -> Iterator[Recording]:
    """Record a run of a pipeline.

    Args:
        name: of the run, shown to its owner.
        site: address of the site.
        api_key: with the scope `record`; it never signs a step.
        key: signs the steps; made and kept in `home` when absent.
        home: folder of key and spool, `~/.colophon` (COLOPHON_HOME).
        strict: let errors of the recording through.
    """
    folder = home or HOME
    spool = Spool(folder / "spool")
    with Pipeline(site, api_key) as pipeline:
        recording = _open(name, pipeline, spool, key, folder, strict=strict)
        try:
            yield recording
        finally:
            recording.flush()


def _open(
    name: str,
    pipeline: Pipeline,
    spool: Spool,
    key: Signer | None,
    folder: Path,
    *,
    strict: bool,
) -> Recording:
    """A recording with a ticket, or without one when the site is out of reach."""
    signer = key or load_or_create(folder / "key.pem")
    try:
        pipeline.enroll(signer)
        opened = pipeline.open_run(name)
    except (Unreachable, ApiError) as error:
        if strict:
            raise
        logger.warning("recording without a ticket: %s", error)
        run_id = new_id("run")
        spool.name_run(run_id, name)
        return Recording(run_id, None, pipeline, spool, signer, strict)
    return Recording(opened.id, opened.ticket, pipeline, spool, signer, strict)


def flush(pipeline: Pipeline, spool: Spool, run_id: str) -> None:
    """Send the waiting steps of a run, opening it first where that is still due.

    Raises:
        Unreachable: the site does not answer; the steps stay.
        ApiError: the site refuses a step; it stays, and so do those after it.
    """
    name = spool.unopened(run_id)
    if name is not None:
        pipeline.open_run(name, run_id)
        spool.opened(run_id)
    for path, body in spool.waiting(run_id):
        pipeline.send_step(run_id, body)
        spool.sent(path)


def digest_of(content: Content) -> bytes:
    """SHA-256 of a file (path) or of some bytes."""
    if isinstance(content, bytes):
        return sha256(content)
    with Path(content).open("rb") as file:
        return sha256_stream(file)


def _name(content: Content) -> str:
    return "bytes" if isinstance(content, bytes) else Path(content).name
