"""Record what Pillow does to pictures between open and save, without being asked.

    with record("crops", site=SITE, api_key=KEY) as run, autolog_pillow(run):
        with Image.open("photo.jpg") as photo:
            photo.crop((0, 0, 400, 300)).save("detail.png")   # one step

Pillow's own methods are wrapped while somebody watches and put back afterwards. Only
the thread (or asyncio task) that entered is watched, so that one run never records
another one's pictures. A picture whose beginning nobody saw gets no record: none is
better than a wrong one. docs/recorder.md says what cannot be seen.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from colophon import pillow_acts as acts
from colophon.acts import File, Input
from colophon.drafts import Content, Draft, digest_of, guarded
from colophon.errors import InputError
from colophon.origin import IPTC
from colophon.pillow_acts import Act, History, Known, described
from colophon.pillow_moves import PARAMETER, geometry_of

logger = logging.getLogger("colophon.recorder")
ENHANCED, COMPOSITE, COMPUTED = (
    IPTC + name for name in ("algorithmicallyEnhanced", "composite", "algorithmicMedia")
)
ORIENTATION_TAG = 0x0112
UNSEEN = "nobody saw where a picture came from; open it while it is being recorded"


class Run(Protocol):
    """What is needed of a `colophon.recorder.Recording`."""

    strict: bool

    def draft(self) -> Draft:
        """A step under way."""

    @property
    def step(self) -> Callable[..., AbstractContextManager[Draft]]: ...


@dataclass
class Session:
    """What one `autolog_pillow` knows: the history of each living picture."""

    run: Run
    source_type: str | None
    kind: str
    _seen: dict[int, tuple[weakref.ref[Any], History]] = field(default_factory=dict)
    # Reentrant: the collector may call `forget` while the same thread writes.
    _lock: Any = field(default_factory=threading.RLock)

    def history(self, image: Any) -> History:
        """What is known of a picture."""
        with self._lock:
            ref, history = self._seen.get(id(image), (None, None))
        if ref is None or history is None or ref() is not image:
            return History(problem=UNSEEN)
        return history

    def learn(self, image: Any, history: History) -> None:
        """Keep the history of a picture as long as it lives."""
        key = id(image)

        def forget(ref: weakref.ref[Any]) -> None:
            with self._lock:
                if key in self._seen and self._seen[key][0] is ref:
                    del self._seen[key]

        with self._lock:
            self._seen[key] = (weakref.ref(image, forget), history)


_current: ContextVar[Session | None] = ContextVar("colophon_pillow", default=None)
# Set while a watched method runs: what it calls in turn is no act of its own.
_inside: ContextVar[bool] = ContextVar("colophon_pillow_inside", default=False)


@contextmanager
def autolog_pillow(
    run: Run, *, source_type: str | None = None, kind: str = "tool"
) -> Iterator[None]:
    """Record each picture that Pillow saves inside as one step of a run.

    Args:
        run: a `Recording`; its `strict` lets errors of the recording through.
        source_type: IPTC digital source type of the steps. Without one: computed for
            what began empty, composite where something was drawn or placed,
            algorithmically enhanced otherwise.
        kind: who acts: human, agent or tool.

    Locks: the patching of Pillow, for a moment at each end.
    """
    watching = False
    with guarded("Pillow is not watched", strict=run.strict):
        _patches.enter()
        watching = True
    token = _current.set(Session(run, source_type, kind) if watching else None)
    try:
        yield
    finally:
        _current.reset(token)
        if watching:
            _patches.leave()


def digest_if_known(image: Any) -> bytes | None:
    """The file that a picture is, unchanged since it was opened or made; or None."""
    session = _current.get()
    history = session.history(image) if session else History(problem=UNSEEN)
    untouched = not (history.problem or history.acts or history.parts)
    return history.parent.digest if history.parent and untouched else None


def made_elsewhere(image: Any, name: str, digest: bytes) -> None:
    """Tell the session that watches, if any, which recorded file a picture is."""
    session = _current.get()
    if session is not None:
        session.learn(image, History(Known(name, digest, "PNG")))


@contextmanager
def unwatched() -> Iterator[None]:
    """Do something with Pillow that is no act of the pipeline."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


# --- what happens to a picture ------------------------------------------------------


def _opened(session: Session, image: Any, source: Any) -> None:
    """Remember the file that was opened, by its bytes as they are now."""
    history = History(problem=UNSEEN)
    try:
        name, digest, content = _file_of(source)
        draft = session.run.draft()
        draft.copy(digest, content)
        copy = draft.copies.get(digest)
        known = Known(name, digest, image.format or "", _upright_size(image), copy)
        history = History(known)
    except Exception as error:
        if session.run.strict:
            raise
        history = History(problem=f"what was opened cannot be read: {error}")
    finally:
        session.learn(image, history)


def _opened_or_closed(session: Session, image: Any, source: Any) -> None:
    """Where an error is let through, the caller never gets the picture to close."""
    try:
        _opened(session, image, source)
    except Exception:
        if session.run.strict:
            image.close()
        raise


def _upright_size(image: Any) -> tuple[int, int] | None:
    """The size of a picture that no viewer turns."""
    upright = image.getexif().get(ORIENTATION_TAG, 1) == 1
    return tuple(image.size) if upright else None


def _file_of(source: Any) -> tuple[str, bytes, Content]:
    """What was opened, a path or a file that can be rewound: name, SHA-256, content."""
    if isinstance(source, (str, bytes, os.PathLike)):
        path = Path(os.fsdecode(source))
        return path.name, digest_of(path), path
    name = getattr(source, "name", "")
    place = source.tell()
    try:
        source.seek(0)
        content = bytes(source.read())
    finally:
        source.seek(place)
    named = isinstance(name, str) and name
    return Path(name).name if named else "bytes", digest_of(content), content


def _pictures_in(values: Any) -> list[Any]:
    """The pictures among arguments, also in lists, as `merge` takes them."""
    from PIL import Image

    found = []
    for one in values:
        if isinstance(one, Image.Image):
            found.append(one)
        elif isinstance(one, (list, tuple)):
            found += [inner for inner in one if isinstance(inner, Image.Image)]
    return found


def _subjects(args: Any) -> list[Any]:
    """Arguments, with the picture in place of what draws on it or enhances it."""
    found = list(args)
    for name in ("_image", "image"):
        if args and name in getattr(args[0], "__dict__", {}):
            found[0] = getattr(args[0], name)
    return found


@dataclass(frozen=True)
class _Call:
    """One watched call: the picture it is about, and its history with the act."""

    image: Any
    history: History


def _noted(
    session: Session, action: str, original: Callable[..., Any], args: Any, kwargs: Any
) -> _Call:
    """What a call will have done, read before it runs and may change its arguments."""
    image, *others = _pictures_in([*_subjects(args), *kwargs.values()])
    history = session.history(image)
    for other in others:
        if other is not image:
            history = history.joined(session.history(other))
    told = dict(inspect.signature(original).bind(*args, **kwargs).arguments)
    told.pop("self", None)
    if _is_same_color(image, original.__name__, told):
        action = acts.NOTHING
    said = {name: described(one) for name, one in told.items()}
    name = original.__name__
    if name == "enhance":
        name = type(args[0]).__name__
    return _Call(image, history.after(Act(action, name, said)))


def _is_same_color(image: Any, method: str, told: dict[str, Any]) -> bool:
    """Whether a conversion leaves every color as it was."""
    full = {"RGB", "RGBA", "RGBX"}
    mode = told.get("mode")
    same = mode == image.mode or (mode in full and image.mode in full)
    return method == "convert" and same and told.get("matrix") is None


def _happened(session: Session, call: _Call, result: Any) -> None:
    """Give what came out its history; what gives nothing changed its own picture."""
    made = _pictures_in([result])
    for image in made if result is not None else [call.image]:
        session.learn(image, call.history)


def _spoil(session: Session, method: str, values: Any) -> None:
    """Say nothing any more of pictures that could not be followed."""
    for image in _pictures_in(values):
        session.learn(image, History(problem=f"{method} could not be followed"))


def _watched(original: Callable[..., Any], action: str) -> Callable[..., Any]:
    """A method of Pillow that tells what it does."""

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        session = _current.get()
        if session is None or _inside.get():
            return original(*args, **kwargs)
        with unwatched():
            call, strict = None, session.run.strict
            with guarded("an act of Pillow is not followed", strict=strict):
                call = _noted(session, action, original, args, kwargs)
            result = original(*args, **kwargs)
            with guarded("a result of Pillow is not followed", strict=strict):
                if call is None:
                    _spoil(session, original.__name__, [*_subjects(args), result])
                else:
                    _happened(session, call, result)
            return result

    return method


def _watched_open(original: Callable[..., Any], _: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(fp: Any, *args: Any, **kwargs: Any) -> Any:
        session = _current.get()
        if session is None or _inside.get():
            return original(fp, *args, **kwargs)
        with unwatched():
            image = original(fp, *args, **kwargs)
            with guarded(
                "an opened picture is not followed", strict=session.run.strict
            ):
                _opened_or_closed(session, image, fp)
            return image

    return method


def _watched_new(original: Callable[..., Any], _: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        image = original(*args, **kwargs)
        session = _current.get()
        if session is not None and not _inside.get():
            session.learn(image, History())
        return image

    return method


def _watched_filling(original: Callable[..., Any], _: str) -> Callable[..., Any]:
    """What fills a picture with pixels that Pillow did not make."""

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        session = _current.get()
        if session is None or _inside.get():
            return original(*args, **kwargs)
        with unwatched():
            result = original(*args, **kwargs)
            for image in _pictures_in([*args[:1], result]):
                session.learn(image, History(problem=UNSEEN))
            return result

    return method


# --- saving -------------------------------------------------------------------------


def _watched_save(original: Callable[..., Any], _: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, fp: Any, *args: Any, **kwargs: Any) -> Any:
        session = _current.get()
        if session is None or _inside.get():
            return original(self, fp, *args, **kwargs)
        with unwatched():
            start = _place(fp)
            result = original(self, fp, *args, **kwargs)
            form = args[0] if args else kwargs.get("format")
            with guarded("a saved picture is not recorded", strict=session.run.strict):
                _record(session, self, _Saved(fp, start, form, kwargs))
            return result

    return method


@dataclass(frozen=True)
class _Saved:
    """Where a picture was saved and how."""

    fp: Any
    start: int | None
    form: str | None
    told: dict[str, Any]

    def content(self) -> Content:
        """Where what was written can be read, or its bytes.

        Raises:
            InputError: it was written to something that cannot be read back.
        """
        if isinstance(self.fp, (str, bytes, os.PathLike)):
            return Path(os.fsdecode(self.fp))
        whole = getattr(self.fp, "getvalue", None)
        if whole is None or self.start is None:
            raise InputError("saved where it cannot be read back; save to a path")
        return bytes(whole()[self.start :])

    def file(self) -> File:
        """Name and digest of what was written.

        Raises:
            InputError: it was written to something that cannot be read back.
            OSError: the file cannot be read.
        """
        content = self.content()
        name = content.name if isinstance(content, Path) else "bytes"
        return File(name, digest_of(content))

    def format(self) -> str:
        """Pillow's name of the format, as `save` finds it."""
        if self.form:
            return self.form.upper()
        from PIL import Image

        named = os.fsdecode(self.fp) if isinstance(self.fp, (str, bytes)) else self.fp
        suffix = Path(getattr(named, "name", named)).suffix.lower()
        return Image.registered_extensions().get(suffix, "")


def _place(fp: Any) -> int | None:
    """Where writing begins, for files in memory."""
    try:
        return int(fp.tell())
    except (AttributeError, OSError, ValueError):
        return None


def _record(session: Session, image: Any, saved: _Saved) -> None:
    """One step for one saved file."""
    history = session.history(image)
    for other in _pictures_in(saved.told.values()):
        history = history.joined(session.history(other))
    if history.problem:
        raise InputError(history.problem)
    made, parent = saved.file(), history.parent
    if parent is not None and parent.digest == made.sha256:
        return  # the very file that was opened
    from PIL import __version__

    with session.run.step(
        history.action(saved.format()),
        source_type=_source_type(session, history),
        kind=session.kind,
        tool="Pillow",
        tool_version=__version__,
    ) as draft:
        draft.outputs.append(made)
        draft.copy(made.sha256, saved.content())
        came = (*history.parts, parent)
        draft.copies |= {one.digest: one.copy for one in came if one and one.copy}
        if parent is not None:
            draft.inputs.append(Input(parent.name, parent.digest))
        for part in history.parts:
            draft.inputs.append(Input(part.name, part.digest, "componentOf"))
        draft.parameters(**_parameters(history, saved))
        geometry = geometry_of(history)
        if geometry is not None:
            draft.parameters(**{PARAMETER: geometry})


def _source_type(session: Session, history: History) -> str:
    if session.source_type is not None:
        return session.source_type
    if history.parent is None and not history.parts:
        return COMPUTED
    return COMPOSITE if history.composed else ENHANCED


def _parameters(history: History, saved: _Saved) -> dict[str, Any]:
    """Each act, and how it was saved, on its own: `01.cropped`, …, `save`."""
    found: dict[str, Any] = {
        f"{number:02}.{act.action.partition('.')[2]}": act.value
        for number, act in enumerate(history.acts, 1)
    }
    told = {name: one for name, one in saved.told.items() if name != "format"}
    return found | {"save": {"format": saved.format(), **described(told)}}


# --- putting it on and taking it off ------------------------------------------------


@dataclass
class _Patches:
    """The wrapped methods of Pillow, while at least one session watches."""

    users: int = 0
    undo: list[tuple[Any, str, Any, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def enter(self) -> None:
        """Wrap, unless that is done already.

        Raises:
            ImportError: Pillow is not installed.
        """
        with self.lock:
            if self.users == 0:
                for owner, name, wrap, action in _targets():
                    self._wrap(owner, name, wrap, action)
            self.users += 1

    def leave(self) -> None:
        """Put everything back when nobody watches any more."""
        with self.lock:
            self.users -= 1
            while self.users == 0 and self.undo:
                owner, name, original, wrapped = self.undo.pop()
                # Somebody who wrapped it after us keeps theirs; ours then does nothing.
                if vars(owner).get(name) is wrapped:
                    setattr(owner, name, original)

    def _wrap(self, owner: Any, name: str, wrap: Any, action: str) -> None:
        original = vars(owner).get(name)
        if inspect.isfunction(original):  # other versions of Pillow may lack it
            wrapped = wrap(original, action)
            setattr(owner, name, wrapped)
            self.undo.append((owner, name, original, wrapped))


def _targets() -> Iterator[tuple[type | ModuleType, str, Any, str]]:
    """Owner, name, wrapper and action of all that is watched."""
    from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageOps

    tables: tuple[tuple[type | ModuleType, dict[str, str]], ...] = (
        (Image.Image, acts.IMAGE),
        (Image, acts.MODULE),
        (ImageOps, acts.OPS),
        (ImageChops, acts.CHOPS),
        (ImageDraw.ImageDraw, acts.DRAW),
        (ImageEnhance.Color.__mro__[1], {"enhance": acts.ADJUSTED}),
    )
    for owner, table in tables:
        for name, action in table.items():
            yield owner, name, _watched, action
    for name in acts.FILLED:
        yield Image.Image, name, _watched_filling, ""
    for name in acts.FILLED_NEW:
        yield Image, name, _watched_filling, ""
    yield Image, "open", _watched_open, ""
    yield Image, "new", _watched_new, ""
    yield Image.Image, "save", _watched_save, ""


_patches = _Patches()
