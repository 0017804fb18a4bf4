"""The command line: `colophon verify`, `inspect`, `log check`, `trust fetch`, `step`.

Each command is a module with `add_parser(subparsers)`, which sets `run`: a function
from the parsed arguments to an exit code. Exit codes are in docs/cli.md; a wrong
call ends with 64, so that it can never be taken for an answer about a file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from colophon import __version__
from colophon.cli_output import Screen
from colophon.errors import ColophonError, CouldNotCheck, TrustError
from colophon.report import EXIT_NO_TRUST, EXIT_UNREACHABLE, EXIT_UNREADABLE

EXIT_USAGE = 64
# One line for each command; order is that of the help.
COMMANDS = (
    "colophon.cli_verify",
    "colophon.cli_inspect",
    "colophon.cli_log",
    "colophon.cli_trust",
    "colophon.cli_step",
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A title in any script must not stop an answer on an old terminal.
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = build_parser().parse_args(argv)
        return int(arguments.run(arguments))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_USAGE
    except ColophonError as error:
        Screen(sys.stderr).problem(str(error))
        return _exit_of(error)
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_UNREADABLE


def _exit_of(error: ColophonError) -> int:
    """The exit code of what could not be done."""
    if isinstance(error, TrustError):
        return EXIT_NO_TRUST
    return EXIT_UNREACHABLE if isinstance(error, CouldNotCheck) else EXIT_UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
