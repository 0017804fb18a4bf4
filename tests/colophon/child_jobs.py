"""Jobs that misbehave, for the tests of the child process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from colophon import child_main, errors


def add(first: int, second: int) -> int:
    return first + second


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def sleep_with_child(note: str) -> None:
    """Leave a grandchild behind, by the one way the audit hook does not see."""
    import ctypes

    if (child := ctypes.CDLL(None).fork()) == 0:
        time.sleep(600)
        os._exit(0)
    Path(note).write_text(str(child))
    time.sleep(600)


def wait_for(begun: str, end: str) -> None:
    """Say that it has begun, and work until the other file is there."""
    Path(begun).touch()
    while not Path(end).exists():
        time.sleep(0.02)


def spin() -> None:
    while True:
        pass


def swell() -> int:
    return len(bytearray(8 << 30))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fill(path: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Path(path).open("wb") as out:
        out.writelines(bytes(1 << 20) for _ in range(512))


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), 1)


def connect_natively(port: int) -> int:
    """Connect behind Python's back; return 0 when it worked, else errno."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.socket(2, 1, 0)
    address = b"\x02\x00" + port.to_bytes(2) + bytes([127, 0, 0, 1]) + bytes(8)
    return ctypes.get_errno() if libc.connect(handle, address, 16) else 0


def run() -> None:
    subprocess.run(["true"], check=True)


def refuse() -> None:
    raise errors.InputError("too large", "file")


def not_credential() -> None:
    raise errors.CredentialError("timeout", "too slow")


def trip(secret: str) -> None:
    raise ValueError(secret)


def chatter() -> str:
    sys.stdout.write("a library that prints\n")
    sys.stdout.flush()
    os.write(1, b"and one that writes to the descriptor\n")
    return "done"


def double(number: int) -> Any:
    return child_main.ask({"double": number})


def babble() -> None:
    """Send an answer without end."""
    pipe = child_main._pipes["out"]
    while True:
        pipe.write(bytes(1 << 20).replace(b"\0", b"x"))


def garbage() -> None:
    pipe = child_main._pipes["out"]
    pipe.write(b"this is no JSON\n")
    pipe.flush()
    time.sleep(5)
