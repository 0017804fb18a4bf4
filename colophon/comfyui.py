"""Read the graphs that ComfyUI writes into pictures: `prompt`, else `workflow`.

`prompt` is what was run: nodes by number, each with its class and its inputs, where an
input is a value or a link `[node, slot]`. `workflow` is what the editor showed; of it
only the common nodes are understood, whose values stand by position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from colophon.claimed import MAX_PROMPT, Settings
from colophon.errors import InputError
from colophon.fields import load_json

MAX_NODES = 2_000
MAX_FOLLOWED = 32  # links from a sampler to the words
MAX_VALUES = 64
MAX_VALUE = 512
LINK_HEAD = 3  # link, node and slot that it comes from
GENERATOR = "ComfyUI"
NAMES = {
    "seed": "seed",
    "noise_seed": "seed",
    "steps": "steps",
    "cfg": "guidance",
    "guidance": "guidance",
    "sampler_name": "sampler",
    "scheduler": "scheduler",
    "denoise": "strength",
    "ckpt_name": "model_name",
    "unet_name": "model_name",
    "vae_name": "vae_name",
    "lora_name": "lora_name",
}
# One of these says that a model was sampled.
RAN = {"seed", "steps", "sampler"}
_SAMPLER = ("steps", "cfg", "sampler_name", "scheduler")
# The values of a node of the editor, in their order.
BY_PLACE = {
    "KSampler": ["seed", "-", *_SAMPLER, "denoise"],
    "KSamplerAdvanced": ["-", "noise_seed", "-", *_SAMPLER],
    "CheckpointLoaderSimple": ["ckpt_name"],
    "UNETLoader": ["unet_name"],
    "VAELoader": ["vae_name"],
    "LoraLoader": ["lora_name"],
    "CLIPTextEncode": ["text"],
    "LoadImage": ["image"],
}
# Where words stand in a node, or the link that leads on to them.
WORDS = ("text", "text_g", "string", "value", "conditioning", "conditioning_1")
# Python writes these, and they are no JSON; a text is skipped as a whole.
_NOT_JSON = re.compile(r'"(?:[^"\\]|\\.)*+"|-?\b(?:NaN|Infinity)\b', re.DOTALL)

Nodes = dict[str, Mapping[str, Any]]


def read(text: str, field: str, *, max_bytes: int) -> Settings:
    """Read one graph.

    Args:
        field: the chunk it is from: "prompt" or "workflow".

    Raises:
        InputError: it is no JSON, too deep or too large, or no graph with a sampler.
    """
    plain = _NOT_JSON.sub(lambda m: m[0] if m[0][0] == '"' else "null", text)
    try:
        graph = load_json(plain, max_bytes=max_bytes, floats=True)
    except InputError as error:
        raise InputError(error.message, f"{field}/{error.field}".strip("/")) from error
    nodes = _nodes(graph) if field == "prompt" else _drawn(graph)
    if len(nodes) > MAX_NODES:
        raise InputError(f"has over {MAX_NODES:,} nodes", field)
    found = _values(nodes, field)
    if not RAN & found.keys():
        raise InputError("has no sampler: nothing says that a model ran", field)
    prompts, negatives = (_words(nodes, name) for name in ("positive", "negative"))
    if negatives:
        found["negative_prompt"] = negatives[0] if len(negatives) == 1 else negatives
    elsewhere = any(one["class"].startswith("LoadImage") for one in nodes.values())
    return Settings(GENERATOR, prompts, found, begins_elsewhere=elsewhere)


def _nodes(graph: Any) -> Nodes:
    """The nodes of what was run; what is none is passed over."""
    found: Nodes = {}
    for name, node in graph.items() if isinstance(graph, dict) else ():
        kind = node.get("class_type") if isinstance(node, dict) else None
        if isinstance(kind, str) and isinstance(node.get("inputs"), dict):
            found[name] = {**node["inputs"], "class": kind}
    return dict(sorted(found.items(), key=lambda one: (len(one[0]), one[0])))


def _drawn(graph: Any) -> Nodes:
    """The nodes that the editor showed, as far as their values have known places."""
    listed = graph.get("nodes") if isinstance(graph, dict) else None
    links = graph.get("links") if isinstance(graph, dict) else None
    ends = {
        str(link[0]): [str(link[1]), link[2]]
        for link in (links if isinstance(links, list) else ())
        if isinstance(link, list) and len(link) >= LINK_HEAD
    }
    found: Nodes = {}
    for node in listed if isinstance(listed, list) else ():
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            continue
        inputs: dict[str, Any] = {}
        for one in _list(node.get("inputs")):
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                inputs[one["name"]] = ends.get(str(one.get("link")))
        places = BY_PLACE.get(node["type"], [])
        values = _list(node.get("widgets_values"))
        inputs |= dict(zip(places, values, strict=False))
        found[str(node.get("id"))] = {**inputs, "class": node["type"]}
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(nodes: Nodes, field: str) -> dict[str, Any]:
    """The known settings of all nodes: one value, or a list where nodes differ."""
    found: dict[str, list[Any]] = {}
    for node in nodes.values():
        for theirs, ours in NAMES.items():
            value = node.get(theirs)
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                continue
            if isinstance(value, str) and len(value) > MAX_VALUE:
                raise InputError(f"is over {MAX_VALUE} characters", f"{field}/{theirs}")
            kept = found.setdefault(ours, [])
            if value not in kept and len(kept) < MAX_VALUES:
                kept.append(value)
    return {name: one[0] if len(one) == 1 else one for name, one in found.items()}


def _words(nodes: Nodes, side: str) -> list[str]:
    """The prompts on one side of all samplers, in order, each one once."""
    found: list[str] = []
    for node in nodes.values():
        if side in node:
            for text in _followed(nodes, node[side]):
                if len(text) > MAX_PROMPT:
                    words = f"has over {MAX_PROMPT:,} characters"
                    raise InputError(words, f"{side} prompt")
                if text not in found and len(found) < MAX_VALUES:
                    found.append(text)
    return found


def _followed(nodes: Nodes, value: Any) -> Iterator[str]:
    """The words at the end of a link; a ring of links ends, too."""
    for _ in range(MAX_FOLLOWED):
        if isinstance(value, str):
            if value.strip():
                yield value.strip()
            return
        if not isinstance(value, list) or not value:
            return
        node = nodes.get(str(value[0]), {})
        value = next((node[name] for name in WORDS if node.get(name)), None)
