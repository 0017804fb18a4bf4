"""Record each call of a diffusers-style pipeline as one step, without diffusers.

    pipe = autolog_call(run, pipe, model=WEIGHTS_SHA256, model_name="Diffuser 2")
    image = pipe("a harbor at night", num_inference_steps=30).images[0]
    image.save("draft.png")     # this very file is the step's output

Such a pipeline takes a prompt and numbers and gives something with `.images`. Prompt,
negative prompt, seed, steps and guidance leave as salted commitments.
"""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from colophon.acts import CREATED, INPUT, PARENT, Input
from colophon.autolog_pillow import Run, digest_if_known, made_elsewhere, unwatched
from colophon.digest import sha256
from colophon.drafts import Draft
from colophon.errors import InputError
from colophon.origin import IPTC

AI = IPTC + "trainedAlgorithmicMedia"
WITH_AI = IPTC + "compositeWithTrainedAlgorithmicMedia"
EDITED = "c2pa.edited"
# What a pipeline is told, and the parameter that it becomes.
PARAMETERS = {
    "negative_prompt": "negative_prompt",
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "strength": "strength",
    "width": "width",
    "height": "height",
    "seed": "seed",
}
# Pictures that a pipeline is given, and what they are to what it makes.
PICTURES = {"image": PARENT, "mask_image": INPUT, "control_image": INPUT}


class RecordedCall:
    """A pipeline whose calls are recorded; all else is the pipeline's own."""

    def __init__(
        self, run: Run, pipe: Callable[..., Any], options: Mapping[str, Any]
    ) -> None:
        self._run = run
        self._pipe = pipe
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the pipeline; its result and its exceptions pass through."""
        told, problem = _told(self._pipe, args, kwargs)
        edits = told.get("image") is not None
        options = self._options
        with self._run.step(
            EDITED if edits else CREATED,
            source_type=WITH_AI if edits else AI,
            kind="agent",
            tool=options["tool"],
            tool_version=options["tool_version"],
        ) as draft:
            with _careful(draft, "what the pipeline was told"):
                if problem:
                    raise InputError(problem)
                _say(draft, told)
            if options["model"] is not None:
                draft.model(options["model"], options["model_name"])
            result = self._pipe(*args, **kwargs)
            with _careful(draft, "what the pipeline made"):
                for number, image in enumerate(_images(result)):
                    _output(draft, image, number)
        return result


def autolog_call(
    run: Run,
    pipe: Callable[..., Any],
    *,
    model: bytes | None = None,
    model_name: str = "",
    tool: str = "",
    tool_version: str = "",
) -> RecordedCall:
    """Wrap a pipeline so that each call is one step of a run.

    A call that is given an `image` is an edit of it, any other one a creation.

    Args:
        run: a `Recording`; its `strict` lets errors of the recording through.
        pipe: takes `prompt` and more, gives `.images` (pictures of Pillow, paths or
            bytes).
        model: SHA-256 of the registered model, 32 bytes.
        model_name: its name, open to everyone who sees the record.
        tool: the software; the pipeline's class when absent.
        tool_version: the version of the module that the class is from, when absent.
    """
    kind = type(pipe)
    name = getattr(pipe, "__name__", kind.__name__)
    options = {
        "model": model,
        "model_name": model_name,
        "tool": tool or str(name),
        "tool_version": tool_version or _version_of(kind),
    }
    return RecordedCall(run, pipe, options)


def _version_of(kind: type) -> str:
    package = sys.modules.get(kind.__module__.partition(".")[0])
    return str(getattr(package, "__version__", "unknown"))


@contextmanager
def _careful(draft: Draft, what: str) -> Iterator[None]:
    """Leave the step out when something of it cannot be told.

    The words name no value: a warning must not give a prompt away.
    """
    try:
        yield
    except Exception as error:
        if draft.strict:
            raise
        words = error if isinstance(error, InputError) else type(error).__name__
        draft.problem = draft.problem or f"{what} cannot be recorded: {words}"


def _told(pipe: Any, args: Any, kwargs: Any) -> tuple[dict[str, Any], str]:
    """Arguments by name, defaults included; or the named ones and what is wrong."""
    try:
        bound = inspect.signature(pipe).bind(*args, **kwargs)
    except (TypeError, ValueError):
        # A wrong call is the pipeline's to refuse; one without a signature is not.
        unnamed = "it has no signature; name the arguments" if args else ""
        return dict(kwargs), unnamed
    bound.apply_defaults()
    found = dict(bound.arguments)
    for name, one in inspect.signature(pipe).parameters.items():
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            found |= found.pop(name)
    return found, ""


def _say(draft: Draft, told: Mapping[str, Any]) -> None:
    """Commit to prompt and parameters, name the pictures that go in."""
    prompt = told.get("prompt")
    if isinstance(prompt, (list, tuple)):
        draft.parameters(prompts=list(prompt))
    elif prompt is not None:
        draft.prompt(str(prompt))
    said = {
        name: told[key] for key, name in PARAMETERS.items() if told.get(key) is not None
    }
    if (seed := _seed(told.get("generator"))) is not None:
        said["seed"] = seed
    draft.parameters(**said)
    for key, relation in PICTURES.items():
        if told.get(key) is not None:
            _input(draft, told[key], key, relation)


def _seed(generator: Any) -> Any:
    """The seed of a generator, or of several, as torch's tell it."""
    if isinstance(generator, (list, tuple)):
        return [_seed(one) for one in generator]
    first = getattr(generator, "initial_seed", None)
    return None if first is None else first()


def _input(draft: Draft, picture: Any, name: str, relation: str) -> None:
    """A picture that goes in: by its file, else by its lossless bytes."""
    if isinstance(picture, (str, Path, bytes)):
        draft.input(picture, relation=relation)
        return
    digest = digest_if_known(picture) or sha256(_png(picture))
    draft.inputs.append(Input(f"{name}.png", digest, relation))


def _images(result: Any) -> list[Any]:
    """What the pipeline made.

    Raises:
        InputError: nothing with `.images`, as of a call without `return_dict`.
    """
    images = result.get("images") if isinstance(result, Mapping) else None
    images = getattr(result, "images", images)
    if not isinstance(images, (list, tuple)) or not images:
        raise InputError("it gave no list of images")
    return list(images)


def _output(draft: Draft, image: Any, number: int) -> None:
    """An image that was made: the file that `save("….png")` will write of it."""
    name = f"image-{number}.png"
    if isinstance(image, (str, Path, bytes)):
        draft.output(image)
        return
    data = _png(image)
    draft.output(data, name=name)
    made_elsewhere(image, name, sha256(data))


def _png(image: Any) -> bytes:
    """The bytes of a picture as Pillow saves it as PNG when told nothing else.

    Raises:
        InputError: it is no picture of Pillow, such as an array or latents.
    """
    save = getattr(image, "save", None)
    if save is None:
        words = f"{type(image).__name__} is no picture; ask for pictures of Pillow"
        raise InputError(words)
    data = io.BytesIO()
    with unwatched():
        save(data, "PNG")
    return data.getvalue()
