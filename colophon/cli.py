"""The command line: `colophon verify`, `inspect`, `log check`, `trust fetch`, `step`.

Each command is a module with `add_parser(subparsers)`, which sets `run`: a function
from the parsed arguments to an exit code. Exit codes are in docs/cli.md; a wrong
call ends with 64, so that it can never be taken for an answer about a file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from colophon import __version__
from colophon.cli_output import Screen
from colophon.errors import ColophonError, CouldNotCheck, TrustError
from colophon.report import EXIT_NO_TRUST, EXIT_UNREACHABLE, EXIT_UNREADABLE

EXIT_USAGE = 64
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130
TRACEBACK = "COLOPHON_TRACEBACK"
# One line for each command; order is that of the help.
COMMANDS = (
    "colophon.cli_verify",
    "colophon.cli_inspect",
    "colophon.cli_export",
    "colophon.cli_log",
    "colophon.cli_trust",
    "colophon.cli_witness",
    "colophon.cli_step",
    "colophon.cli_dataset",
    "colophon.cli_money",
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors do not end with 2, which means "no record" here."""

    def error(self, message: str) -> NoReturn:
        """Print what was wrong and how to call it."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def build_parser() -> Parser:
    """The parser with every command."""
    parser = Parser(
        prog="colophon",
        description="Check where a file comes from, without trusting anyone's word.",
        epilog="Exit codes and JSON keys: docs/cli.md. NO_COLOR is honored.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    subparsers = parser.add_subparsers(
        title="commands", dest="command", required=True, parser_class=Parser
    )
    for name in COMMANDS:
        import_module(name).add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: arguments without the program's name; those of the process if None.

    Returns:
        The exit code.
    """
    if sys.stdout is None or sys.stderr is None:  # closed before we began
        return EXIT_UNREADABLE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A title in any script must not stop an answer on an old terminal.
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_USAGE
    return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    """Run the command; whatever goes wrong is a sentence and an exit code."""
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on: let the interpreter flush into nothing as it ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREADABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (ColophonError, OSError) as error:
        return _could_not(arguments, _words(error), _exit_of(error))
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        name = type(error).__name__
        words = f"an error of this program ({name}: {error}); it says nothing about"
        advice = f"what you asked. Set {TRACEBACK}=1 and report what it prints"
        return _could_not(arguments, f"{words} {advice}", EXIT_INTERNAL)
    return code


def _could_not(arguments: argparse.Namespace, words: str, code: int) -> int:
    """Say why there is no answer: for people, and as JSON where that was asked for."""
    with suppress(OSError):
        if getattr(arguments, "json", False):
            Screen(sys.stdout).json({"v": 1, "error": words, "exit": code})
            sys.stdout.flush()
        Screen(sys.stderr).problem(words)
    return code


def _words(error: Exception) -> str:
    """What went wrong, with the file that it went wrong at."""
    if not isinstance(error, OSError):
        return str(error)
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or type(error).__name__}"


def _exit_of(error: Exception) -> int:
    """The exit code of what could not be done."""
    if isinstance(error, TrustError):
        return EXIT_NO_TRUST
    return EXIT_UNREACHABLE if isinstance(error, CouldNotCheck) else EXIT_UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
