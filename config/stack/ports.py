"""Ports on loopback: one that was asked for, the next free one, or any."""

from __future__ import annotations

import socket

from config.stack.process import StackError

HOST = "127.0.0.1"
TRIES = 11


class PortTakenError(StackError):
    """The port that somebody asked for is in use, or none of the usual ones is free."""


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port that the operating system says is free."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def web_port(asked: int | None, first: int = 8000) -> tuple[int, str]:
    """The port for the site, and a sentence when it is not the usual one.

    Raises:
        PortTakenError: the port that was asked for is taken, or none of ten is free.
    """
    if asked is not None:
        if not is_free(asked):
            raise PortTakenError(
                f"port {asked} is used by another program; choose another with --port"
            )
        return asked, ""
    for port in range(first, first + TRIES):
        if is_free(port):
            words = f"{first} is used by another program; using {port}"
            return port, "" if port == first else words
    raise PortTakenError(
        f"ports {first} to {first + TRIES - 1} are all taken; choose one with --port"
    )
