"""`python -m config story|demo`: what the Makefile calls."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from colophon.formats import ANY_OF
from config.stack.process import StackError
from config.stack.stack import ROOT

USAGE_STATUS = 2


def main() -> int:
    """Run one of the two; the exit status for make."""
    options = _parser().parse_args()
    try:
        if options.command == "story":
            return _story(options.picture)
        return _demo(options)
    except StackError as error:
        print(f"colophon: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config")
    commands = parser.add_subparsers(dest="command", required=True)
    story = commands.add_parser("story", help="from a picture to a paid royalty")
    story.add_argument("--picture", type=Path, help=f"a {ANY_OF} of yours")
    demo = commands.add_parser("demo", help="start everything, filled with content")
    demo.add_argument("--port", type=int, help="of the site; else the next free one")
    demo.add_argument("--var", type=Path, default=ROOT / "var", help="its folder")
    demo.add_argument("--check", action="store_true", help="visit every page, stop")
    return parser


def _story(picture: Path | None) -> int:
    from config.story.play import play
    from config.story.scenes import StoryError

    if picture is not None and not picture.is_file():
        print(f"colophon: {picture} is not a file", file=sys.stderr)  # noqa: T201
        return USAGE_STATUS
    try:
        told = play(picture, ROOT / "var" / "story")
    except StoryError as error:
        print(f"colophon: the story broke: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(told, indent=2, default=str))  # noqa: T201
    return 0


def _demo(options: argparse.Namespace) -> int:
    from config.stack.demo import Demo
    from config.stack.ports import PortTakenError

    try:
        if options.check:
            from config.stack.check import check

            return check(ROOT / "var" / "check")
        return Demo(options.var.resolve(), options.port).run()
    except PortTakenError as error:
        print(f"colophon: {error}", file=sys.stderr)  # noqa: T201
        return USAGE_STATUS


if __name__ == "__main__":
    sys.exit(main())
