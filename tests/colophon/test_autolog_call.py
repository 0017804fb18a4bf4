"""A diffusers-style pipeline, recorded without diffusers; and never in its way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colophon.digest import sha256
from colophon.errors import ColophonError
from colophon.origin import IPTC
from colophon.recorder import Recording, autolog_call, autolog_pillow
from tests.colophon.recorded import kept, offline

WEIGHTS = sha256(b"weights")
SECRET = "a harbor at night, in the manner of nobody"


class Generator:
    """As torch has it: it tells the seed it began with."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def initial_seed(self) -> int:
        return self._seed


@dataclass
class Output:
    """As diffusers answers."""

    images: Any


class Pipe:
    """Looks like a pipeline of diffusers and paints one color."""

    device = "cpu"

    def __init__(self, images: Any = None) -> None:
        self.images = images
        self.calls: list[Any] = []

    def __call__(
        self,
        prompt: Any = None,
        image: Any = None,
        *,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        negative_prompt: str | None = None,
        generator: Any = None,
        **more: Any,
    ) -> Output:
        self.calls.append((prompt, more))
        return Output(self.images or [Image.new("RGB", (16, 16), "navy")])


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Recording]:
    made = offline(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Recording:
    return offline(tmp_path / "strict", strict=True)


def test_a_call_is_one_created_step_with_its_settings_hidden(
    strict: Recording, tmp_path: Path
) -> None:
    pipe = autolog_call(strict, Pipe(), model=WEIGHTS, model_name="Diffuser 2")
    result = pipe(
        SECRET, num_inference_steps=30, negative_prompt="fog", generator=Generator(7)
    )
    result.images[0].save(tmp_path / "draft.png")
    ((step, values),) = kept(strict)
    assert values == {
        "prompt": SECRET,
        "negative_prompt": "fog",
        "seed": 7,
        "steps": 30,
        "guidance": 7.5,
    }
    assert (step.action, step.source_type) == (
        "c2pa.created",
        IPTC + "trainedAlgorithmicMedia",
    )
    assert step.model is not None
    assert (step.model.sha256, step.model.name) == (WEIGHTS, "Diffuser 2")
    assert (step.tool.name, step.actor.kind) == ("Pipe", "agent")
    assert step.outputs[0].sha256 == sha256((tmp_path / "draft.png").read_bytes())
    ((_, body),) = strict.spool.waiting(strict.id)
    assert "harbor" not in json.dumps(body["envelope"])
    assert "fog" not in json.dumps(body["envelope"])


def test_everything_else_is_the_pipelines_own(run: Recording) -> None:
    inner = Pipe()
    pipe = autolog_call(run, inner)
    assert pipe.device == "cpu"
    assert isinstance(pipe("x", eta=1), Output)
    assert inner.calls == [("x", {"eta": 1})]
    with pytest.raises(AttributeError):
        _ = pipe.nothing
    with pytest.raises(TypeError, match="multiple values"):
        pipe("x", prompt="y")
    assert len(kept(run)) == 1


def test_a_large_seed_a_batch_and_what_no_signature_names(strict: Recording) -> None:
    images = [Image.new("RGB", (8, 8), name) for name in ("red", "blue")]
    pipe = autolog_call(strict, Pipe(images))
    pipe(["a", "b"], width=512, generator=[Generator(2**63), Generator(1)])
    ((step, values),) = kept(strict)
    assert (values["prompts"], values["width"]) == (["a", "b"], 512)
    assert values["seed"] == [str(2**63), 1]
    assert [one.name for one in step.outputs] == ["image-0.png", "image-1.png"]


def test_a_picture_that_goes_in_makes_it_an_edit(
    strict: Recording, tmp_path: Path
) -> None:
    path = tmp_path / "sketch.jpg"
    Image.new("RGB", (16, 16), "white").save(path)
    pipe = autolog_call(strict, Pipe())
    with autolog_pillow(strict), Image.open(path) as sketch:
        pipe(SECRET, image=sketch, mask_image=Image.new("L", (16, 16)))
    ((step, _),) = kept(strict)
    assert step.action == "c2pa.edited"
    assert step.source_type == IPTC + "compositeWithTrainedAlgorithmicMedia"
    assert [one.relation for one in step.inputs] == ["parentOf", "inputTo"]
    assert step.inputs[0].sha256 == sha256(path.read_bytes())


def test_a_picture_that_is_worked_on_goes_on_from_the_step(
    strict: Recording, tmp_path: Path
) -> None:
    pipe = autolog_call(strict, Pipe())
    with autolog_pillow(strict):
        image = pipe(SECRET).images[0]
        image.save(tmp_path / "draft.png")  # the output itself: no step of its own
        image.resize((8, 8)).save(tmp_path / "small.webp")
    (made, _), (small, _) = kept(strict)
    assert made.outputs[0].sha256 == sha256((tmp_path / "draft.png").read_bytes())
    assert small.inputs[0].sha256 == made.outputs[0].sha256
    assert small.action == "c2pa.resized"


# --- never in the way ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([object()], "object is no picture"),
        ("latents", "no list of images"),
        (["missing.png"], "missing.png cannot be read"),
    ],
)
def test_what_cannot_be_named_is_left_out_and_handed_on(
    run: Recording, images: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = autolog_call(run, Pipe(images))
    assert pipe(SECRET).images is images
    assert kept(run) == []
    assert said in caplog.text
    assert "harbor" not in caplog.text
    run.strict = True
    with pytest.raises((ColophonError, OSError)):
        pipe(SECRET)


def test_a_value_that_breaks_when_read_leaves_the_step_out(
    run: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd:
        def initial_seed(self) -> int:
            raise RuntimeError(SECRET)

    assert autolog_call(run, Pipe())(SECRET, generator=Odd()).images
    assert kept(run) == []
    assert "cannot be recorded: RuntimeError" in caplog.text
    assert "harbor" not in caplog.text


def test_the_pipelines_own_error_passes_through_and_is_no_step(run: Recording) -> None:
    def broken(prompt: str) -> Output:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        autolog_call(run, broken)(SECRET)
    assert kept(run) == []


def test_a_pipeline_that_is_a_function_names_itself(strict: Recording) -> None:
    def paint(prompt: str) -> dict[str, Any]:
        return {"images": [b"one", b"two"]}

    autolog_call(strict, paint, tool_version="3")(SECRET)
    ((step, _),) = kept(strict)
    assert (step.tool.name, step.tool.version) == ("paint", "3")
    assert [one.sha256 for one in step.outputs] == [sha256(b"one"), sha256(b"two")]
