"""The inside of a child process: limit itself, then serve jobs from standard input.

Started by `colophon.child` as `python -m colophon.child_main`, never imported by
the rest. Limits come first, before any library that reads foreign bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import sys
from typing import Any, BinaryIO

from colophon.errors import ColophonError

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
# Nothing that reads a file needs these; whoever gets here is not our code.
_REFUSED = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)

_IS_MAC = sys.platform == "darwin"
_pipes: dict[str, BinaryIO] = {}


def ask(question: dict[str, Any]) -> Any:
    """Ask the parent something in the middle of a job, and wait for the answer.

    The way a job uses what must stay out of this process, such as a private key.
    """
    _say({"ask": question})
    return json.loads(_pipes["in"].readline())["answer"]


def serve() -> None:
    """Serve jobs until standard input ends."""
    _pipes["in"] = sys.stdin.buffer
    # A library that prints must not break into the conversation.
    _pipes["out"] = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits = json.loads(os.environ["COLOPHON_CHILD"])
    _confine(limits)
    for line in _pipes["in"]:
        message = json.loads(line)
        _grant_time(limits["cpu_seconds"])
        _say(_run(message["job"], message["params"]))


def _run(job: str, params: dict[str, Any]) -> dict[str, Any]:
    module, _, name = job.partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), name)(**params)}
    except ColophonError as error:
        return {"error": _report(error)}
    except ImportError as error:
        words = f"{error.name} is not installed here; install colophon[pictures]"
        return {"error": {"kind": "ImportError", "message": words}}
    except MemoryError:
        words = "it needs more memory than one file may use"
        return {"error": {"kind": "MemoryError", "message": words}}
    except Exception as error:  # noqa: BLE001 - decoders raise anything at all
        # The class name only: a message may quote the file's own bytes.
        words = f"its content made the reader fail ({type(error).__name__})"
        return {"error": {"kind": "Exception", "message": words}}


def _report(error: ColophonError) -> dict[str, str]:
    """Put an error into words that the parent can rebuild it from."""
    extra = next(
        (
            value
            for name in ("field", "code", "what")
            if isinstance(value := getattr(error, name, None), str)
        ),
        "",
    )
    message = str(error).removeprefix(f"{extra}: ") if extra else str(error)
    return {"kind": type(error).__name__, "message": message, "extra": extra}


def _say(message: dict[str, Any]) -> None:
    _pipes["out"].write(json.dumps(message).encode() + b"\n")
    _pipes["out"].flush()


def _confine(limits: dict[str, Any]) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS has no limit on address space; it keeps the others.
        with contextlib.suppress(ValueError) if _IS_MAC else contextlib.nullcontext():
            resource.setrlimit(kind, (value, value))
    os.umask(0o077)
    if not limits["network"]:
        _leave_network()
    sys.addaudithook(_refuse)


def _leave_network() -> None:
    """Enter a network namespace with nothing in it, where the kernel lets us."""
    with contextlib.suppress(OSError, AttributeError):
        unshare = ctypes.CDLL(None, use_errno=True).unshare
        if unshare(CLONE_NEWNET) != 0:
            unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"{event} is not allowed while reading a file")


def _grant_time(seconds: int) -> None:
    """Allow that much more processor time: the limit counts the whole process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    # Run under the module's own name, so that `ask` speaks on the same pipes.
    importlib.import_module("colophon.child_main").serve()
