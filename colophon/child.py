"""Run work on untrusted bytes in a child process that can be killed.

Decoders and parsers of strangers' files crash, hang and swell. Here they do so
in a process of their own: limited in memory, time and file size, without network
where the kernel allows, started once and kept warm, replaced when it dies. Jobs
and answers are JSON lines on pipes; files are handed over by path.

A job is "module:function"; it is called with the given parameters by keyword
and returns what JSON can hold. The caller is trusted, the bytes are not.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colophon import errors

MIB = 1024 * 1024
# A reply is a report, never a picture; more means that the child is not ours.
MAX_REPLY_BYTES = 16 * MIB
SHARED_CHILDREN = 2
Ask = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 60  # per job
    file_bytes: int = 256 * MIB
    network: bool = False


class _GoneError(Exception):
    """The child ended in the middle of a job."""


class Child:
    """A warm child process; calls from several threads take turns.

    Args:
        limits: applied by the child to itself before the first job.
        jobs: how many jobs one process serves before it is replaced.
    """

    def __init__(self, limits: Limits | None = None, *, jobs: int = 200) -> None:
        self._limits = limits or Limits()
        self._jobs = jobs
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._served = 0

    @property
    def pid(self) -> int | None:
        """Process id of the running child, None when none runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def call(
        self,
        job: str,
        params: dict[str, Any],
        timeout: float = 30.0,
        ask: Ask | None = None,
    ) -> Any:
        """Run one job and return its result.

        Args:
            job: "module:function".
            params: keyword arguments, JSON only.
            timeout: wall seconds until the child is killed.
            ask: answers questions of the job (see `ask` in this module).

        Raises:
            InputError, CredentialError, CouldNotCheck: raised by the job.
            CouldNotCheck: the child died, was killed by the time or memory
                limit, or the job failed in a way it did not foresee.
        """
        with self._lock:
            process = self._running()
            self._served += 1
            try:
                return self._converse(process, job, params, timeout, ask)
            except TimeoutError as error:
                self._kill()
                raise errors.CouldNotCheck(
                    "file", f"it took more than {timeout:g} seconds to read"
                ) from error
            except (_GoneError, OSError) as error:
                code = self._kill()
                raise errors.CouldNotCheck("file", _why(code)) from error
            except BaseException as error:
                # Half a conversation must not be continued by the next call.
                if not isinstance(error, errors.ColophonError):
                    self._kill()
                raise

    def close(self) -> None:
        """End the child process, if one runs."""
        with self._lock:
            if self._owner == os.getpid():
                self._kill()

    def _running(self) -> subprocess.Popen[bytes]:
        # After a fork the pipes belong to the other process: leave them alone.
        if self._owner != os.getpid():
            self._process, self._owner = None, os.getpid()
        if self._process and self._served >= self._jobs:
            self._kill()
        if self._process is None or self._process.poll() is not None:
            self._kill()
            self._process, self._served = _start(self._limits), 0
        return self._process

    def _kill(self) -> int | None:
        """End the whole process group; return how the child had ended."""
        process, self._process = self._process, None
        if process is None:
            return None
        # The pipes close first, so a child that is already leaving can leave.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        code = process.returncode
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        return code

    def _converse(
        self,
        process: subprocess.Popen[bytes],
        job: str,
        params: dict[str, Any],
        timeout: float,
        ask: Ask | None,
    ) -> Any:
        deadline = time.monotonic() + timeout
        _send(process, {"job": job, "params": params})
        while True:
            reply = _receive(process, deadline)
            if "ask" in reply and ask:
                _send(process, {"answer": ask(reply["ask"])})
            elif "error" in reply:
                raise _error(reply["error"])
            elif "result" in reply:
                return reply["result"]
            else:
                raise _GoneError


class Pool:
    """A few warm children, so that one slow file does not hold up all others."""

    def __init__(self, size: int, limits: Limits | None = None) -> None:
        self._children = [Child(limits) for _ in range(size)]
        self._idle: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    def call(
        self,
        job: str,
        params: dict[str, Any],
        timeout: float = 30.0,
        ask: Ask | None = None,
    ) -> Any:
        """Run one job in a child that is free; see `Child.call`.

        Raises:
            CouldNotCheck: also when no child came free in `timeout` seconds.
        """
        try:
            child = self._idle.get(timeout=timeout)
        except queue.Empty:
            raise errors.CouldNotCheck("file", "too many files at once") from None
        try:
            return child.call(job, params, timeout, ask)
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """End all children."""
        for child in self._children:
            child.close()


Worker = Child | Pool
_defaults: dict[tuple[int, bool], Pool] = {}
_defaults_lock = threading.Lock()


def default(*, network: bool = False) -> Pool:
    """Return this process's shared warm children; with network only for signing."""
    # By process: after a fork, the other one's queue may name busy children.
    key = os.getpid(), network
    with _defaults_lock:
        if key not in _defaults:
            _defaults[key] = Pool(SHARED_CHILDREN, Limits(network=network))
            atexit.register(_defaults[key].close)
        return _defaults[key]


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        # One thread per library: each thread's arena counts as memory.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "COLOPHON_CHILD": json.dumps(vars(limits)),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "colophon.child_main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
        bufsize=0,
    )


def _send(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[process.stdin.write(data) :]


def _receive(process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
    assert process.stdout is not None
    pieces = bytearray()
    while not pieces.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(process.stdout.fileno(), 1 << 16)
        if not piece or len(pieces) > MAX_REPLY_BYTES:
            raise _GoneError
        pieces += piece
    try:
        message = json.loads(pieces)
    except (ValueError, RecursionError) as error:
        raise _GoneError from error
    if not isinstance(message, dict):
        raise _GoneError
    return message


def _error(report: dict[str, Any]) -> errors.ColophonError:
    """Rebuild the error that a job raised; an unforeseen one is "could not check"."""
    kind, message = str(report.get("kind")), str(report.get("message"))
    extra = str(report.get("extra", ""))
    if kind == "InputError":
        return errors.InputError(message, field=extra)
    if kind == "CredentialError":
        return errors.CredentialError(extra, message)
    if kind == "CouldNotCheck":
        return errors.CouldNotCheck(extra, message)
    return errors.CouldNotCheck("file", message)


def _why(code: int | None) -> str:
    if code is not None and code == -signal.SIGXCPU:
        return "it took more processor time than one file may use"
    return f"the process that read it ended unexpectedly (code {code})"
