"""Record the steps of a pipeline as they happen, signed here, sent when possible.

    with colophon.recorder.record("spring", site=SITE, api_key=KEY) as run:
        with run.step("c2pa.created", source_type=AI, kind="agent") as step:
            step.prompt("a harbor at night")
            image = generate(...)
            step.output("draft.png")

It never breaks the pipeline: whatever goes wrong in recording is logged and the
pipeline goes on, unless `strict=True`. Steps wait in a local spool until the site
has them. Keys live where the recorder runs; prompts and parameters leave as salted
commitments and, for the owner's eyes, disclosures. docs/recorder.md has the rest.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import httpx

from colophon import __version__, statement
from colophon.acts import Actor, Proxies, Tool
from colophon.autolog_call import autolog_call
from colophon.autolog_pillow import autolog_pillow, unwatched
from colophon.decorate import as_step
from colophon.digest import sha256
from colophon.drafts import Content, Draft, guarded
from colophon.errors import ColophonError
from colophon.fields import check_text
from colophon.ids import new_id
from colophon.keys import Signer, load_or_create
from colophon.pipeline import ApiError, Pipeline, Unreachable
from colophon.proxies import proxy_of
from colophon.spool import RunInfo, Spool, SpoolError
from colophon.steps import build_step, check_size

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
KEY_FILE, SPOOL = "key.pem", "spool"
MAX_NAME = 120
# A pipeline waits no longer than this for the site, and then not again for a while.
TIMEOUT_SECONDS = 5.0
QUIET_SECONDS = 30.0
TOOL = "colophon recorder"
# Statuses of a copy that sending again will not change.
NEVER = {400, 404, 409, 413, 415, 422}


class RecordingError(ColophonError):
    """A step that cannot be recorded truthfully; the pipeline's work is unharmed."""


def default_home() -> Path:
    """The folder of key and spool: COLOPHON_HOME, or ~/.colophon."""
    given = os.environ.get("COLOPHON_HOME")
    return Path(given) if given else Path.home() / ".colophon"


@dataclass
class Recording:
    """One run: an ordered list of steps by one or more actors.

    Attributes:
        proxies: send smaller copies of the pictures, for the origin map.
        off: why nothing can be recorded; empty when it can.
    """

    info: RunInfo
    spool: Spool
    strict: bool = False
    proxies: bool = False
    key: Signer | None = None
    pipeline: Pipeline | None = None
    off: str = ""
    _quiet_until: float = 0.0
    _copied: set[bytes] = field(default_factory=set)  # files, by this process

    @property
    def id(self) -> str:
        """The run's id, for the upload of the finished work."""
        return self.info.id

    @contextmanager
    def step(
        self,
        action: str,
        *,
        source_type: str | None = None,
        kind: str = "tool",
        tool: str = TOOL,
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
        draft, started = self.draft(), datetime.now(UTC)
        yield draft
        with guarded("step not recorded", strict=self.strict):
            self.keep(
                draft,
                action=action,
                source_type=source_type,
                kind=kind,
                tool=Tool(tool, tool_version),
                started=started,
                key=key,
            )
        if not self.off and time.monotonic() >= self._quiet_until:
            self.flush()

    def recorded(
        self, action: str, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a function that returns a file (path or bytes) as one step.

        Coroutine functions are awaited inside the step. A generator's step has each
        file that it yields as an output and ends with it.

        Args:
            action: as in `step`.
            options: the other arguments of `step`; `tool` is the function's name.
        """
        return as_step(self.step, action, options)

    def draft(self) -> Draft:
        """A step under way, for `keep`."""
        return Draft(strict=self.strict, proxy=_proxy if self.proxies else None)

    def keep(
        self,
        draft: Draft,
        *,
        action: str,
        source_type: str | None = None,
        kind: str = "tool",
        tool: Tool | None = None,
        started: datetime | None = None,
        key: Signer | None = None,
    ) -> bytes:
        """Build and sign one step and put it into the spool.

        Returns:
            The digest of its envelope.

        Raises:
            RecordingError: nothing can be recorded, or a file could not be read.
            InputError: the step breaks its format; the field is named.
            OSError: the spool cannot be written.
        """
        signer = key or self.key
        if self.off or signer is None:
            raise RecordingError(self.off or "there is no key to sign with")
        if draft.problem:
            raise RecordingError(draft.problem)
        now = datetime.now(UTC)
        with self.spool.locked(self.id):
            index = self.spool.next_index(self.id)
            made, openings = build_step(
                outputs=draft.outputs,
                action=action,
                actor=Actor(signer.key_id, kind, None),
                tool=tool or Tool(TOOL, __version__),
                started_on=started or now,
                finished_on=max(started or now, now),
                run=self.id,
                index=index,
                ticket=self.info.ticket,
                source_type=source_type,
                inputs=draft.inputs,
                model=draft.used,
                prompt=draft.words,
                parameters=draft.secrets,
                proxy=_proxies(draft),
                note=draft.said,
            )
            envelope = statement.sign(made, signer)
            check_size(envelope)
            body = {
                "envelope": envelope.to_json(),
                "disclosures": [one.to_json() for one in openings],
            }
            # The step names its copies, so they are there when it is.
            for digest, copy in draft.copies.items():
                if digest not in self._copied:
                    self.spool.put_copy(self.id, copy)
                    self._copied.add(digest)
            self.spool.put(self.id, index, body)
        return envelope.digest

    def send(self) -> None:
        """Send what waits.

        Raises:
            Unreachable: the site does not answer; the steps stay.
            ApiError: the site refuses a step; it stays, and so do those after it.
            SpoolError: a waiting step cannot be read.
        """
        if self.pipeline is not None:
            send_waiting(self.pipeline, self.spool, self.id, self.key)

    def flush(self) -> int:
        """Send what waits; returns how many steps still wait."""
        with guarded("steps wait", strict=self.strict):
            self.send()
        waiting = 0
        with guarded("the spool cannot be read", strict=self.strict):
            waiting = 0 if self.off else self.spool.count(self.id)
        self._quiet_until = time.monotonic() + QUIET_SECONDS if waiting else 0.0
        return waiting

    def close(self) -> None:
        """Give the connections back."""
        if self.pipeline is not None:
            self.pipeline.close()


@contextmanager
def record(
    name: str,
    *,
    site: str,
    api_key: str,
    key: Signer | None = None,
    home: Path | None = None,
    strict: bool = False,
    proxies: bool = False,
    http: httpx.Client | None = None,
) -> Iterator[Recording]:
    """Record a run of a pipeline.

    Args:
        name: of the run, shown to its owner.
        site: address of the site.
        api_key: with the scope `record`; it never signs a step.
        key: signs the steps; made and kept in `home` when absent.
        home: folder of key and spool, `~/.colophon` (COLOPHON_HOME).
        strict: let errors of the recording through.
        proxies: send copies of at most 512 pixels of the pictures as well, from which
            the site computes who changed which part. Off: no picture leaves.
        http: your own client, for proxies or certificates; it stays open.
    """
    recording = begin(
        name,
        site=site,
        api_key=api_key,
        key=key,
        home=home,
        strict=strict,
        proxies=proxies,
        http=http,
    )
    try:
        try:
            yield recording
        except BaseException:
            recording.strict = False  # the pipeline's own error is the one that counts
            raise
        finally:
            if not recording.off:
                recording.flush()
    finally:
        recording.close()


def begin(
    name: str,
    *,
    site: str,
    api_key: str,
    key: Signer | None = None,
    home: Path | None = None,
    strict: bool = False,
    proxies: bool = False,
    http: httpx.Client | None = None,
    afterwards: bool = False,
) -> Recording:
    """Open a run; `record` is this with an end. Arguments as there.

    Args:
        afterwards: for what was done before: the run asks for no ticket, and none of
            its steps has one.

    The recording has a ticket, or none when the site is out of reach, or records
    nothing when not even this machine lets it (`off`).
    """
    folder = home or default_home()
    info = RunInfo(new_id("run"), name, site)
    recording = Recording(info, Spool(folder / SPOOL), strict, proxies)
    try:
        info = replace(info, name=check_text(name, "name", limit=MAX_NAME))
        recording.key = key or load_or_create(folder / KEY_FILE)
        recording.pipeline = _connect(site, api_key, http)
        recording.info = info
        if not afterwards:
            recording.info = _introduced(
                recording.pipeline, recording.key, info, strict
            )
        recording.spool.begin(recording.info)
    except Exception as error:
        if strict:
            recording.close()
            raise
        recording.off = f"nothing is recorded: {error}"
        logger.warning("%s; the pipeline goes on", recording.off)
    return recording


def resume(
    run_id: str,
    *,
    api_key: str,
    key: Signer | None = None,
    home: Path | None = None,
    proxies: bool = False,
    http: httpx.Client | None = None,
) -> Recording:
    """Go on with a run that this or another process began on this machine.

    Raises:
        InputError: there is no such run in the spool, or the key file is unusable.
        SpoolError: the run's file is damaged.
    """
    folder = home or default_home()
    spool = Spool(folder / SPOOL)
    info = spool.info(run_id)
    signer = key or load_or_create(folder / KEY_FILE)
    pipeline = _connect(info.site, api_key, http)
    return Recording(
        info, spool, strict=True, proxies=proxies, key=signer, pipeline=pipeline
    )


@dataclass(frozen=True)
class Flushed:
    """What came of sending everything that waited."""

    sent: int
    waiting: int
    problems: tuple[str, ...] = ()


def flush_all(
    *,
    site: str,
    api_key: str,
    key: Signer | None = None,
    home: Path | None = None,
    http: httpx.Client | None = None,
) -> Flushed:
    """Send the waiting steps of every run of a site, such as after a crash.

    A run that the site refuses does not hold up the others.

    Args:
        key: enrolled first, where a run began offline; that of `home` when absent.

    Raises:
        InputError: not an address, not an API key, or the key file is unusable.
    """
    folder = home or default_home()
    spool = Spool(folder / SPOOL)
    if key is None and (folder / KEY_FILE).exists():
        key = load_or_create(folder / KEY_FILE)
    sent, waiting, problems = 0, 0, []
    pipeline = _connect(site, api_key, http)
    try:
        for run_id in spool.runs():
            before = spool.count(run_id)
            try:
                if spool.info(run_id).site.rstrip("/") != pipeline.site:
                    continue
                send_waiting(pipeline, spool, run_id, key)
            except (ColophonError, OSError) as error:
                problems.append(f"{run_id}: {error}")
            left = spool.count(run_id)
            sent, waiting = sent + before - left, waiting + left
    finally:
        pipeline.close()
    return Flushed(sent, waiting, tuple(problems))


def send_waiting(
    pipeline: Pipeline, spool: Spool, run_id: str, key: Signer | None
) -> None:
    """Send the waiting steps of a run, opening it first where that is still due.

    Args:
        key: the one that signed them; it is enrolled with the run.

    Raises:
        Unreachable: the site does not answer; the steps stay.
        ApiError: the site refuses a step; it stays, and so do those after it.
        SpoolError: a waiting step cannot be read.
        InputError: the key was revoked.
    """
    with spool.locked(run_id, "sending"):
        if not spool.has_waiting(run_id):
            return
        info = spool.info(run_id)
        if not info.opened:
            if key is not None:
                pipeline.enroll(key)
            pipeline.open_run(info.name, run_id)
            spool.begin(replace(info, opened=True))
        for path, body in spool.waiting(run_id):
            pipeline.send_step(run_id, body)
            spool.sent(path)
        for path, copy in spool.copies(run_id):
            _send_copy(pipeline, run_id, copy)
            path.unlink()


def _send_copy(pipeline: Pipeline, run_id: str, copy: bytes) -> None:
    """Send a picture's smaller copy; one that the site will never take is dropped."""
    try:
        pipeline.send_proxy(run_id, sha256(copy), copy)
    except ApiError as error:
        if error.status not in NEVER:
            raise
        logger.warning("a smaller copy was refused, the steps stand: %s", error)


def _introduced(
    pipeline: Pipeline, key: Signer, info: RunInfo, strict: bool
) -> RunInfo:
    """The run with a ticket, or without one when the site is out of reach."""
    try:
        pipeline.enroll(key)
        opened = pipeline.open_run(info.name)
    except (Unreachable, ApiError) as error:
        if strict:
            raise
        logger.warning("recording without a ticket: %s", error)
        return info
    return replace(info, id=opened.id, ticket=opened.ticket, opened=True)


def _proxy(content: Content) -> bytes | None:
    """Making a copy is no act of the pipeline, also where Pillow is watched."""
    with unwatched():
        return proxy_of(content)


def _proxies(draft: Draft) -> Proxies | None:
    shown = tuple(draft.intermediates)
    inputs = _copied(draft, [one.sha256 for one in draft.inputs])
    outputs = _copied(draft, [one.sha256 for one in draft.outputs])
    return Proxies(inputs, outputs, shown) if shown or inputs or outputs else None


def _copied(draft: Draft, files: Sequence[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Digests of files and of their smaller copies, those that have one."""
    return tuple(
        (one, sha256(draft.copies[one]))
        for one in dict.fromkeys(files)
        if one in draft.copies
    )


def _connect(site: str, api_key: str, http: httpx.Client | None) -> Pipeline:
    return Pipeline(site, api_key, http, timeout_seconds=TIMEOUT_SECONDS)


__all__ = [
    "ApiError",
    "Draft",
    "Flushed",
    "Recording",
    "RecordingError",
    "SpoolError",
    "Unreachable",
    "autolog_call",
    "autolog_pillow",
    "begin",
    "flush_all",
    "record",
    "resume",
]
