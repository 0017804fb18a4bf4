"""Read the `parameters` text that AUTOMATIC1111's web UI writes into pictures.

    a harbor at night
    Negative prompt: fog
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 512x512, Model: x

Forge, SD.Next and others write the same. Linear in the text, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from colophon.claimed import MAX_PROMPT, Settings, number_or_text
from colophon.errors import InputError

NEGATIVE, STEPS = "Negative prompt:", "Steps:"
MAX_LINE = 16_000  # characters of the line of settings
MAX_VALUE = 512
NAMES = {
    "Steps": "steps",
    "Sampler": "sampler",
    "Schedule type": "scheduler",
    "CFG scale": "guidance",
    "Seed": "seed",
    "Size": "size",
    "Model": "model_name",
    "Model hash": "model_hash",
    "VAE": "vae_name",
    "VAE hash": "vae_hash",
    "Lora hashes": "lora_hashes",
    "Clip skip": "clip_skip",
    "Denoising strength": "strength",
}
# A second pass over its own picture has a strength, too.
OWN_PASS = ("Hires upscale", "Hires upscaler", "Hires resize")
# A quoted value, a comma, or what lies between them.
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*+"|,|[^,"]++|"', re.DOTALL)
_VERSION = re.compile(r"[A-Za-z0-9_.+-]{1,40}", re.ASCII)


def read(text: str) -> Settings:
    """Read the text of one picture.

    Raises:
        InputError: it has no line of settings, or one that is too long.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    at = max(
        (n for n, line in enumerate(lines) if line.startswith(STEPS)),
        default=None,
    )
    if at is None:
        raise InputError("has no line that begins with Steps:", "parameters")
    if len(lines[at]) > MAX_LINE:
        raise InputError(
            f"has a line of {len(lines[at]):,} characters; at most {MAX_LINE:,} are"
            " read",
            "parameters",
        )
    said = dict(_pairs(lines[at]))
    prompt, negative = _prompts(lines[:at])
    found = {
        ours: number_or_text(_short(said[theirs], theirs))
        for theirs, ours in NAMES.items()
        if said.get(theirs)
    }
    if negative:
        found["negative_prompt"] = negative
    version = _VERSION.fullmatch(said.get("Version", ""))
    return Settings(
        generator="AUTOMATIC1111",
        prompts=(prompt,) if prompt else (),
        parameters=found,
        version=version[0] if version else "",
        begins_elsewhere="strength" in found and not said.keys() & set(OWN_PASS),
    )


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """The settings of a line; commas within quotes belong to a value."""
    fields = [""]
    pieces: list[str] = []
    for match in _PARTS.finditer(line + ","):
        if match[0] == ",":
            fields.append("".join(pieces))
            pieces.clear()
        else:
            pieces.append(match[0])
    for one in fields:
        name, given, value = one.partition(":")
        if given:
            yield name.strip(), value.strip().removeprefix('"').removesuffix('"')


def _prompts(lines: list[str]) -> tuple[str, str]:
    """Prompt and negative prompt of the lines before the settings."""
    at = next(
        (n for n, line in enumerate(lines) if line.startswith(NEGATIVE)), len(lines)
    )
    prompt = "\n".join(lines[:at]).strip()
    negative = "\n".join(lines[at:]).removeprefix(NEGATIVE).strip()
    for one in (prompt, negative):
        if len(one) > MAX_PROMPT:
            raise InputError(
                f"has a prompt of {len(one):,} characters; at most {MAX_PROMPT:,} are"
                " read",
                "parameters",
            )
    return prompt, negative


def _short(value: str, name: str) -> str:
    if len(value) > MAX_VALUE:
        raise InputError(f"is over {MAX_VALUE} characters", f"parameters/{name}")
    return value
