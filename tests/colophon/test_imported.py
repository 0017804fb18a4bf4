"""Settings of ComfyUI and AUTOMATIC1111 in PNG files: claims, whatever is in them.

The fuzz run makes the same mutants each time; set COLOPHON_FUZZ_SEED for others.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from colophon import a1111, comfyui, imported
from colophon.containers import png_chunk
from colophon.digest import sha256
from colophon.errors import InputError
from colophon.imported import claimed_step, settings
from colophon.origin import IPTC

SEED = int(os.environ.get("COLOPHON_FUZZ_SEED", "0"))
SLOWEST_SECONDS = 2.0  # of the processor
MIB = 1024 * 1024

A1111 = (
    "a harbor at night, (boats:1.2)\nby nobody\n"
    "Negative prompt: fog, text\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 118700,"
    " Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned,"
    ' Lora hashes: "a: 12, b: 34", Version: v1.9.3'
)
PROMPT: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 2**63 + 5,
            "steps": 25,
            "cfg": 6.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["4", 0],
            "positive": ["10", 0],
            "negative": ["7", 0],
        },
    },
    "4": {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "sdxl.safetensors"},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog"}},
    "10": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "a harbor at night"}},
}
WORKFLOW: dict[str, Any] = {
    "nodes": [
        {
            "id": 3,
            "type": "KSampler",
            "inputs": [
                {"name": "positive", "link": 4},
                {"name": "negative", "link": 6},
            ],
            "widgets_values": [7, "randomize", 20, 8, "euler", "normal", 1],
        },
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a harbor at night"]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["fog"]},
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["x.ckpt"]},
    ],
    "links": [[4, 6, 0, 3, 1, "CONDITIONING"], [6, 7, 0, 3, 2, "CONDITIONING"]],
}


def png(**texts: str) -> bytes:
    """A picture with texts, as Pillow writes them for these tools."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG", pnginfo=info)
    return made.getvalue()


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """A picture with one more chunk, right behind its header."""
    plain = png()
    return plain[:33] + png_chunk(kind, body) + plain[33:]


# --- what is taken over ---------------------------------------------------------------


def test_automatic1111_becomes_a_claimed_step(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(png(parameters=A1111))
    draft, options = claimed_step(path)
    assert draft.words == "a harbor at night, (boats:1.2)\nby nobody"
    assert draft.secrets == {
        "negative_prompt": "fog, text",
        "steps": 20,
        "sampler": "DPM++ 2M",
        "scheduler": "Karras",
        "guidance": 7.5,
        "seed": 118_700,
        "size": "512x768",
        "model_hash": "6ce0161689",
        "model_name": "v1-5-pruned",
        "lora_hashes": "a: 12, b: 34",
        "settings_sha256": sha256(A1111.encode()).hex(),
        "settings_in": "parameters",
    }
    assert draft.outputs[0].sha256 == sha256(path.read_bytes())
    assert draft.used is None  # a name and ten digits are no digest of a model
    assert "Claimed, not seen" in str(draft.said)
    tool = options["tool"]
    assert (tool.name, tool.version) == ("AUTOMATIC1111 (imported)", "v1.9.3")
    assert options["source_type"] == IPTC + "trainedAlgorithmicMedia"


def test_what_comfyui_ran_becomes_a_claimed_step() -> None:
    text = json.dumps(PROMPT)
    keyword, found_text, found = settings(png(prompt=text, workflow="not read"))
    assert (keyword, found_text, found.prompts) == (
        "prompt",
        text,
        ["a harbor at night"],
    )
    assert found.parameters == {
        "seed": 2**63 + 5,
        "steps": 25,
        "guidance": 6.5,
        "sampler": "euler",
        "scheduler": "karras",
        "strength": 1,
        "model_name": "sdxl.safetensors",
        "negative_prompt": "fog",
    }
    assert not found.begins_elsewhere


def test_of_the_editors_graph_the_common_nodes_are_understood() -> None:
    _, _, found = settings(png(workflow=json.dumps(WORKFLOW)))
    assert found.prompts == ["a harbor at night"]
    assert found.parameters == {
        "seed": 7,
        "steps": 20,
        "guidance": 8,
        "sampler": "euler",
        "scheduler": "normal",
        "strength": 1,
        "model_name": "x.ckpt",
        "negative_prompt": "fog",
    }


def test_several_samplers_are_all_told() -> None:
    two = PROMPT | {"20": {"class_type": "KSampler", "inputs": {"seed": 9}}}
    assert comfyui.read(json.dumps(two), "prompt", max_bytes=MIB).parameters[
        "seed"
    ] == [2**63 + 5, 9]


@pytest.mark.parametrize(
    "data",
    [
        png(
            prompt=json.dumps(PROMPT | {"9": {"class_type": "LoadImage", "inputs": {}}})
        ),
        png(parameters="x\nSteps: 20, Seed: 7, Denoising strength: 0.4"),
    ],
    ids=["comfyui", "a1111"],
)
def test_what_began_with_another_picture_is_not_called_wholly_ai(
    data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(data)
    term = claimed_step(path)[1]["source_type"]
    assert term == IPTC + "compositeWithTrainedAlgorithmicMedia"


def test_a_second_pass_over_its_own_picture_is_wholly_ai() -> None:
    text = "x\nSteps: 20, Seed: 7, Denoising strength: 0.4, Hires upscale: 2"
    assert not a1111.read(text).begins_elsewhere


def test_pythons_nan_is_passed_over_and_stays_within_texts() -> None:
    odd = PROMPT | {
        "is": {"class_type": "X", "inputs": {}, "is_changed": [float("nan")]}
    }
    odd["7"] = {"class_type": "CLIPTextEncode", "inputs": {"text": 'a "NaN" sign'}}
    found = comfyui.read(json.dumps(odd), "prompt", max_bytes=MIB)
    assert found.parameters["negative_prompt"] == 'a "NaN" sign'


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"packed iTXt"])
def test_every_kind_of_text_chunk_is_read(kind: bytes) -> None:
    text = "é\nSteps: 20, Seed: 7"
    utf = text.encode()
    body = {
        b"tEXt": text.encode("latin-1"),
        b"zTXt": b"\0" + zlib.compress(text.encode("latin-1")),
        b"iTXt": b"\0\0en\0\0" + utf,
        b"packed iTXt": b"\1\0\0\0" + zlib.compress(utf),
    }[kind]
    data = with_chunk(kind[-4:], b"parameters\0" + body)
    assert settings(data)[2].prompts == ("é",)


# --- what is refused, with words ------------------------------------------------------

BOMB = zlib.compress(b"a" * (64 * MIB), 9)
DEEP = '{"1":' * 5_000 + "{}" + "}" * 5_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(), "no settings"),
        (png(other="Steps: 20"), "no settings"),
        (b"\xff\xd8\xff", "not a PNG"),
        (png(parameters=A1111)[:-20], "PNG"),
        (with_chunk(b"zTXt", b"prompt\0\0" + BOMB), "over 1,048,576 bytes"),
        (with_chunk(b"iTXt", b"prompt\0\1\0\0\0" + BOMB), "over 1,048,576 bytes"),
        (with_chunk(b"tEXt", b"prompt\0" + b"a" * (MIB + 1)), "over 1,048,576 bytes"),
        (with_chunk(b"zTXt", b"prompt\0\0" + b"no zlib"), "damaged"),
        (with_chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"{}")[:-5]), "cut off"),
        (with_chunk(b"zTXt", b"prompt\0\7" + zlib.compress(b"{}")), "unknown way"),
        (with_chunk(b"iTXt", b"prompt\0\7\0\0\0{}"), "damaged iTXt"),
        (with_chunk(b"iTXt", b"prompt\0\0"), "damaged iTXt"),
        (with_chunk(b"tEXt", b"prompt\0{\xff}"), "not UTF-8"),
        (with_chunk(b"iTXt", b"parameters\0\0\0\0\0\xff"), "not UTF-8"),
        (with_chunk(b"tEXt", b"parameters\0a\0\nSteps: 1"), "U\\+0000"),
        (png(prompt=DEEP), "nested deeper"),
        (png(prompt="{"), "not JSON"),
        (png(prompt='{"1": 1, "1": 2}'), "repeats a key"),
        (png(prompt='{"1": 1e999}'), "too large a number"),
        (png(prompt='{"1": ' + "9" * 5_000 + "}"), "too many digits"),
        (png(prompt='{"1": "\\ud800"}'), "lone surrogate"),
        (png(prompt="{}"), "no sampler"),
        (png(prompt="[]"), "no sampler"),
        (png(workflow='{"nodes": 7, "links": {}}'), "no sampler"),
        (png(parameters="only words"), "no line that begins with Steps"),
        (png(parameters="Steps: 1," + "a" * 20_000), "at most 16,000"),
        (png(parameters="a" * 20_000 + "\nSteps: 1"), "at most 16,000"),
        (png(parameters="Steps: 1, Model: " + "a" * 600), "Model: is over 512"),
        (
            png(parameters=A1111)[:33]
            + png_chunk(b"tEXt", b"parameters\0x")
            + png(parameters=A1111)[33:],
            "there twice",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_hostile_chunks_are_refused_with_words(data: bytes, words: str) -> None:
    began = time.process_time()
    with pytest.raises(InputError, match=words):
        settings(data)
    assert time.process_time() - began < SLOWEST_SECONDS


def test_a_bomb_is_never_unpacked() -> None:
    import tracemalloc

    data = with_chunk(b"zTXt", b"prompt\0\0" + BOMB)
    tracemalloc.start()
    with pytest.raises(InputError):
        settings(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MIB


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(png(parameters=A1111))
    monkeypatch.setattr(imported, "MAX_FILE", path.stat().st_size)
    assert claimed_step(path)
    monkeypatch.setattr(imported, "MAX_FILE", path.stat().st_size - 1)
    with pytest.raises(InputError, match="at most"):
        claimed_step(path)
    with pytest.raises(InputError, match="no file"):
        claimed_step(tmp_path)
    with pytest.raises(FileNotFoundError):
        claimed_step(tmp_path / "missing.png")


@pytest.mark.parametrize(
    "line",
    ['"\\' * 7_900, '"' * 15_900, "a:" * 7_900, ",:" * 7_900, '\\"' * 7_900],
    ids=["escapes", "quotes", "colons", "commas", "more escapes"],
)
def test_a_nasty_line_of_settings_costs_little(line: str) -> None:
    began = time.process_time()
    a1111.read("x\nSteps: 1, " + line)
    assert time.process_time() - began < SLOWEST_SECONDS


def test_an_input_never_stands_for_the_class_of_its_node() -> None:
    node = {"class_type": "KSampler", "inputs": {"seed": 1, "class": 7}}
    assert not comfyui.read(
        json.dumps({"1": node}), "prompt", max_bytes=MIB
    ).begins_elsewhere


def test_a_ring_of_links_ends() -> None:
    ring = {
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["2", 0]}},
        "2": {"class_type": "A", "inputs": {"conditioning": ["3", 0]}},
        "3": {"class_type": "B", "inputs": {"conditioning": ["2", 0]}},
    }
    assert comfyui.read(json.dumps(ring), "prompt", max_bytes=MIB).prompts == []


# --- properties and mutants -----------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=60)


@given(
    prompt=WORDS.map(str.strip).filter(
        lambda w: not w.startswith(("Steps:", "Negative"))
    ),
    seed=st.integers(0, 2**64 - 1),
    steps=st.integers(1, 999),
    model=st.text("abcXYZ 0-9_.()", min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool),
)
def test_what_automatic1111_writes_is_what_is_read(
    prompt: str, seed: int, steps: int, model: str
) -> None:
    found = a1111.read(f"{prompt}\nSteps: {steps}, Seed: {seed}, Model: {model}")
    assert found.prompts == ((prompt,) if prompt else ())
    assert found.parameters["seed"] == seed
    assert found.parameters["steps"] == steps
    assert str(found.parameters["model_name"]) in {
        model,
        str(a1111.number_or_text(model)),
    }


@given(text=WORDS.map(str.strip), seed=st.integers(0, 2**64 - 1), name=WORDS)
def test_what_comfyui_writes_is_what_is_read(text: str, seed: int, name: str) -> None:
    graph = {
        name: {
            "class_type": "KSampler",
            "inputs": {"seed": seed, "positive": ["p", 0]},
        },
        "p": {"class_type": "CLIPTextEncode", "inputs": {"text": text}},
    }
    if name == "p":
        return
    found = comfyui.read(json.dumps(graph), "prompt", max_bytes=MIB)
    assert found.prompts == ([text] if text else [])
    assert found.parameters["seed"] == seed


KEYS = (
    ["class", "class_type", "inputs", "seed", "positive", "text", "nodes", "links"],
    ["id", "type", "widgets_values", "name", "link", "1"],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*KEYS[0], *KEYS[1]]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(graph=JSON, keyword=st.sampled_from(["prompt", "workflow"]))
def test_any_json_is_read_or_refused(graph: Any, keyword: str) -> None:
    try:
        found = comfyui.read(json.dumps(graph), keyword, max_bytes=MIB)
    except InputError:
        return
    assert found.parameters


def mutant(data: bytes, dice: random.Random) -> bytes:
    """Break the text inside, its compression, or the file around it."""
    broken = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(broken))
        match dice.randrange(4):
            case 0:
                broken[at] = dice.randrange(256)
            case 1:
                del broken[at : at + dice.randint(1, 9)]
            case 2:
                broken[at:at] = bytes(dice.choices(b'{}[]":,\\\0\xff9', k=4))
            case _:
                broken[at:at] = broken[at : at + dice.randint(1, 200)]
        if not broken:
            return b"\0"
    return bytes(broken)


def tried(count: int, seed: int) -> int:
    """Read so many mutants; returns how many were taken."""
    dice, taken = random.Random(seed), 0
    texts = {
        b"prompt": json.dumps(PROMPT).encode(),
        b"workflow": json.dumps(WORKFLOW).encode(),
        b"parameters": A1111.encode(),
    }
    for _ in range(count):
        name = dice.choice(sorted(texts))
        text = mutant(texts[name], dice) if dice.random() < 0.7 else texts[name]
        packed = zlib.compress(text)
        kind, body = dice.choice(
            [
                (b"tEXt", text),
                (b"zTXt", b"\0" + packed),
                (b"iTXt", b"\1\0\0\0" + packed),
                (b"iTXt", b"\0\0\0\0" + text),
            ]
        )
        body = name + b"\0" + body
        if dice.random() < 0.4:
            body = mutant(body, dice)
        data = with_chunk(kind, body)
        data = mutant(data, dice) if dice.random() < 0.1 else data
        began = time.process_time()
        try:
            taken += bool(settings(data)[2].parameters)
        except InputError as error:
            taken -= not str(error)  # refused without words
        assert time.process_time() - began < SLOWEST_SECONDS
    return taken


def test_mutants_are_read_or_refused_and_nothing_else() -> None:
    sys.stdout.write(f"seed {SEED}\n")
    assert 50 < tried(500, SEED) < 450


@pytest.mark.long
def test_many_mutants_are_read_or_refused_and_nothing_else() -> None:
    seed = SEED or random.SystemRandom().randrange(1, 2**32)
    sys.stdout.write(f"seed {seed}\n")
    assert tried(10_000, seed)
