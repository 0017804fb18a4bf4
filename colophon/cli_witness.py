"""`colophon witness`: make a witness, tell it which logs, and serve it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from colophon.cli_output import Screen
from colophon.note import NoteKey
from colophon.witness import Witness
from colophon.witness_serve import serve

PORT = 8700


def add_parser(subparsers: Any) -> None:
    """Add the command and its parts."""
    parser = subparsers.add_parser("witness", help="cosign what other logs publish")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    init = parts.add_parser(
        "init",
        help="make a witness with a fresh key",
        description="Make a witness in an empty folder. Its state belongs to its key:"
        " if the state is lost, or was put back from a copy, the witness is retired.",
    )
    init.add_argument("folder", metavar="FOLDER", type=Path)
    init.add_argument("--name", required=True, help="like witness.example/w1")
    init.add_argument(
        "--log", metavar="VKEY", action="append", default=[], help="a log's key"
    )
    init.set_defaults(run=run_init)
    add = parts.add_parser("add", help="witness one more log, or a log's new key")
    add.add_argument("folder", metavar="FOLDER", type=Path)
    add.add_argument("vkey", metavar="VKEY", help="the log's key, name+id+key")
    add.add_argument(
        "--origin",
        default="",
        help="first line of its checkpoints, where that is not the key's name",
    )
    add.set_defaults(run=run_add)
    show = parts.add_parser("show", help="its key, and what it cosigned last")
    show.add_argument("folder", metavar="FOLDER", type=Path)
    show.set_defaults(run=run_show)
    start = parts.add_parser("serve", help="answer add-checkpoint on the loopback")
    start.add_argument("folder", metavar="FOLDER", type=Path)
    start.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    start.set_defaults(run=run_serve)


def run_init(arguments: argparse.Namespace) -> int:
    """Make a witness and print the key that trust files name."""
    logs = [NoteKey.from_vkey(text) for text in arguments.log]
    made = Witness.create(arguments.folder, arguments.name, logs)
    return _show(made)


def run_add(arguments: argparse.Namespace) -> int:
    """Accept a log's key."""
    found = Witness.open(arguments.folder)
    found.add_log(NoteKey.from_vkey(arguments.vkey), arguments.origin)
    return _show(found)


def run_show(arguments: argparse.Namespace) -> int:
    """Show a witness; one that saw a second history says so and ends with 1."""
    return _show(Witness.open(arguments.folder))


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    serve(Witness.open(arguments.folder), arguments.port)
    return 0


def _show(found: Witness) -> int:
    screen = Screen(sys.stdout)
    screen.row("witness", found.key.vkey)
    for origin, latest in found.state.logs().items():
        screen.row(origin, f"{latest.size} entries cosigned")
    conflicts = found.state.conflicts()
    for origin, note in conflicts:
        screen.line(f"{origin} signed a second history:", "bad")
        for line in note.splitlines():
            screen.line(f"  {line}")
    found.state.close()
    return 1 if conflicts else 0
