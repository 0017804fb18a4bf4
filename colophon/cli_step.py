"""`colophon step open|add|import|flush`: record the steps of a shell pipeline.

    run=$(colophon step open spring --site https://…)
    colophon step add "$run" --action c2pa.created --output draft.png …
    colophon step flush
    colophon step import generated.png   # a run of its own, of what the file claims

The same spool, keys and rules as in `colophon.recorder`; the API key comes from
COLOPHON_API_KEY or a file, never from an argument, which others can see.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from colophon.acts import ACTIONS, KINDS, RELATIONS, Tool
from colophon.cli_output import Screen
from colophon.digest import from_hex
from colophon.drafts import Draft
from colophon.errors import ColophonError, InputError
from colophon.fields import load_json
from colophon.imported import claimed_step
from colophon.keys import Ed25519Key
from colophon.origin import IPTC
from colophon.recorder import (
    MAX_NAME,
    Recording,
    begin,
    flush_all,
    resume,
)
from colophon.report import EXIT_UNREACHABLE

API_KEY = "COLOPHON_API_KEY"
SITE = "COLOPHON_SITE"


def add_parser(subparsers: Any) -> None:
    """Add the command and its parts."""
    parser = subparsers.add_parser("step", help="record the steps of a pipeline")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    opened = parts.add_parser("open", help="open a run; prints its id")
    opened.add_argument("name", metavar="NAME", help="of the run, for its owner")
    opened.set_defaults(run=_open)
    added = parts.add_parser("add", help="record one finished step of a run")
    _add_what(added)
    added.set_defaults(run=_add)
    imported = parts.add_parser(
        "import", help="record what ComfyUI or AUTOMATIC1111 wrote into a PNG"
    )
    imported.add_argument("file", metavar="FILE", type=Path)
    imported.add_argument("--name", default="", help="of the run; else the file's")
    imported.set_defaults(run=_import)
    flushed = parts.add_parser("flush", help="send what waits, of every run")
    flushed.set_defaults(run=_flush)
    for one in (opened, imported, flushed):
        one.add_argument("--site", metavar="URL", help=f"the site; else {SITE}")
    for one in (opened, added, imported, flushed):
        one.add_argument(
            "--api-key-file", type=Path, metavar="FILE", help=f"else {API_KEY}"
        )
    for one in (opened, added, imported):
        one.add_argument(
            "--key", type=Path, metavar="PEM", help="signs; else key.pem in your home"
        )


def _add_what(parser: argparse.ArgumentParser) -> None:
    """What can be said of one step."""
    add = parser.add_argument
    add("of_run", metavar="RUN", help="what `step open` printed")
    add("--action", required=True, choices=ACTIONS, metavar="ACTION")
    add("--source-type", metavar="TERM", help="IPTC term or URI")
    add("--kind", default="tool", choices=KINDS, help="who acted")
    add("--tool", default="colophon step", help="the software")
    add("--tool-version", default="1")
    add("--output", action="append", default=[], type=Path, metavar="FILE")
    add(
        "--input",
        action="append",
        default=[],
        metavar="[RELATION=]FILE",
        help=f"relation: {', '.join(RELATIONS)}",
    )
    add("--source", action="append", default=[], metavar="SHA256[=NAME]")
    add("--intermediate", action="append", default=[], type=Path, metavar="FILE")
    add("--model", metavar="SHA256[=NAME]", help="of the registered model")
    add("--prompt-file", type=Path, metavar="FILE", help="sent as a commitment")
    add("--parameter", action="append", default=[], metavar="NAME=VALUE")
    add("--note", help="open to everyone who sees the record")


def _open(arguments: argparse.Namespace) -> int:
    recording = begin(
        arguments.name,
        site=_site(arguments),
        api_key=_api_key(arguments),
        key=_key(arguments),
    )
    recording.close()
    if recording.off:
        raise InputError(recording.off, "step open")
    Screen(sys.stdout).line(recording.id)
    if recording.info.ticket is None:
        words = f"no ticket: {recording.info.site} did not give one; steps wait here"
        Screen(sys.stderr).line(words, "weak")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    recording = resume(
        arguments.of_run, api_key=_api_key(arguments), key=_key(arguments)
    )
    try:
        digest = recording.keep(
            _draft(arguments),
            action=arguments.action,
            source_type=_source_type(arguments.source_type),
            kind=arguments.kind,
            tool=Tool(arguments.tool, arguments.tool_version),
        )
        Screen(sys.stdout).line(digest.hex())
        return _send(recording)
    finally:
        recording.close()


def _import(arguments: argparse.Namespace) -> int:
    """A run of its own: one step with a ticket and one without do not go together."""
    path: Path = arguments.file
    try:
        draft, options = claimed_step(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error}", "step import") from error
    recording = begin(
        arguments.name or path.name[:MAX_NAME],
        site=_site(arguments),
        api_key=_api_key(arguments),
        key=_key(arguments),
        afterwards=True,
    )
    try:
        if recording.off:
            raise InputError(recording.off, "step import")
        recording.keep(draft, **options)
        Screen(sys.stdout).line(recording.id)
        return _send(recording)
    finally:
        recording.close()


def _send(recording: Recording) -> int:
    """Try to send; a step that waits is recorded all the same."""
    try:
        recording.send()
    except ColophonError as error:
        Screen(sys.stderr).line(f"recorded, not sent yet: {error}", "weak")
    return 0


def _flush(arguments: argparse.Namespace) -> int:
    found = flush_all(site=_site(arguments), api_key=_api_key(arguments))
    screen = Screen(sys.stdout)
    screen.line(f"{found.sent} sent, {found.waiting} waiting")
    for problem in found.problems:
        Screen(sys.stderr).problem(problem)
    return EXIT_UNREACHABLE if found.problems else 0


def _draft(arguments: argparse.Namespace) -> Draft:
    """The step that the arguments describe.

    Raises:
        InputError: an argument that cannot be read, by its name.
    """
    draft = Draft(strict=True)
    try:
        for text in arguments.input:
            relation, named, path = text.partition("=")
            if named and relation in RELATIONS:
                draft.input(path, relation=relation)
            else:
                draft.input(text)
        for path in arguments.output:
            draft.output(path)
        for path in arguments.intermediate:
            draft.intermediate(path)
        if arguments.prompt_file:
            draft.prompt(arguments.prompt_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", "step add") from error
    for text in arguments.source:
        draft.source(*_digest(text, "--source"))
    if arguments.model:
        draft.model(*_digest(arguments.model, "--model"))
    draft.parameters(**dict(_parameter(text) for text in arguments.parameter))
    if arguments.note:
        draft.note(arguments.note)
    return draft


def _digest(text: str, field: str) -> tuple[bytes, str]:
    """`SHA256` or `SHA256=NAME`."""
    digest, _, name = text.partition("=")
    return from_hex(digest, 32, field), name or digest[:16]


def _parameter(text: str) -> tuple[str, Any]:
    """`NAME=VALUE`; a value that is JSON is taken as such, all else as text."""
    name, given, value = text.partition("=")
    if not given:
        raise InputError(f"is {text}, expected NAME=VALUE", "--parameter")
    try:
        return name, load_json(value)
    except InputError:
        return name, value


def _source_type(term: str | None) -> str | None:
    """The URI of an IPTC term; a URI stays as it is."""
    return term if term is None or ":" in term else IPTC + term


def _site(arguments: argparse.Namespace) -> str:
    """The site that was named; else the one in the environment."""
    site: str = arguments.site or os.environ.get(SITE, "")
    if not site:
        raise InputError(f"is missing; give it or set {SITE}", "--site")
    return site


def _api_key(arguments: argparse.Namespace) -> str:
    if arguments.api_key_file is not None:
        try:
            text: str = arguments.api_key_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", "--api-key-file") from error
        return text.strip()
    key = os.environ.get(API_KEY, "")
    if not key:
        raise InputError(f"is missing; set {API_KEY} or give --api-key-file", "API key")
    return key


def _key(arguments: argparse.Namespace) -> Ed25519Key | None:
    return None if arguments.key is None else Ed25519Key.load(arguments.key)
