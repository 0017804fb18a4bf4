"""A private Redis, a private database, and processes that are restarted when killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

ROOT = Path(__file__).resolve().parents[2]
TABLES = """
CREATE TABLE wish (key text PRIMARY KEY);
CREATE TABLE effect (key text PRIMARY KEY, token integer NOT NULL);
CREATE TABLE begun (key text NOT NULL);
"""


class Process:
    """A supervised process: in a group of its own, restarted whenever it ends."""

    def __init__(self, command: list[str], env: dict[str, str], output: Path) -> None:
        self._command, self._env, self._output = command, env, output
        self._over = threading.Event()
        self.starts = 0
        self.child = self._start()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        self._signal_group(self.child, signal.SIGKILL)

    def kill_children(self) -> int:
        """SIGKILL to the children alone; returns how many there were."""
        task = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        try:
            children = [int(one) for one in task.read_text().split()]
        except OSError:
            return 0
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(children)

    def stop(self, number: int = signal.SIGKILL, seconds: float = 60) -> int:
        """End it for good; returns its exit code."""
        self._over.set()
        self.child.send_signal(number)
        try:
            return self.child.wait(seconds)
        finally:
            self._signal_group(self.child, signal.SIGKILL)
            self._thread.join(5)

    def _supervise(self) -> None:
        while not self._over.is_set():
            if self.child.poll() is not None and not self._over.is_set():
                self._signal_group(self.child, signal.SIGKILL)
                self.child = self._start()
            time.sleep(0.05)

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self._output.open("ab") as output:
            return subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @staticmethod
    def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return


class Stand:
    """Everything one round needs; every process in it is ours."""

    def __init__(self, folder: Path, postgres_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.database = f"faults_{os.getpid()}_{self.port}"
        parts = urlsplit(postgres_url)
        self._admin = postgres_url
        self.url = parts._replace(path=f"/{self.database}").geturl()
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.outbox.faults_settings",
            "DATABASE_URL": self.url,
            "REDIS_URL": f"redis://127.0.0.1:{self.port}/0",
            "COLOPHON_VAR": str(folder / "var"),
            "COLOPHON_DEMO": "1",
            "PYTHONPATH": str(ROOT),
        }
        self.redis: Process | None = None
        self.worker: Process | None = None
        self.relay: Process | None = None

    def start_redis(self) -> Process:
        """Redis without persistence: a restart has lost everything."""
        server = shutil.which("redis-server") or shutil.which("valkey-server")
        assert server, "redis-server is not installed"
        options = f"--port {self.port} --bind 127.0.0.1 --appendonly no --save"
        self.redis = Process(
            [server, *options.split(), "", "--dir", str(self.folder)],
            self.env,
            self.folder / "redis.txt",
        )
        wait_for(self._redis_answers, 60, "Redis")
        return self.redis

    def start_worker(self) -> Process:
        """A worker as production runs it, on two queues."""
        options = "-Q default,media -c 2 --without-gossip --without-mingle -l INFO"
        self.worker = self._python(
            "worker",
            ["-m", "celery", "-A", "config.celery", "worker", *options.split()],
        )
        return self.worker

    def start_relay(self) -> Process:
        """The relay as production runs it."""
        self.relay = self._python("relay", ["manage.py", "relay"])
        return self.relay

    def produce(self, count: int, seconds: float, seed: int) -> subprocess.Popen[str]:
        """Begin to make wishes."""
        module = ["-m", "tests.outbox.faults_producer"]
        return subprocess.Popen(
            [sys.executable, *module, str(count), str(seconds), str(seed)],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the private database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def flush_redis(self) -> None:
        """FLUSHALL, twice in a row."""
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            for _ in range(2):
                client.flushall()

    def cut_database(self) -> None:
        """End every connection to the private database."""
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                [self.database],
            )

    def create(self) -> None:
        """Make the database with the outbox's tables and the test's own."""
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{self.database}"')
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0", "outbox"],
            cwd=ROOT,
            env=self.env,
            check=True,
        )
        with psycopg.connect(self.url) as connection:
            connection.execute(TABLES)

    def destroy(self) -> None:
        """Stop what runs and drop the database."""
        for process in (self.worker, self.relay, self.redis):
            if process is not None:
                process.stop()
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def _python(self, name: str, arguments: list[str]) -> Process:
        command = [sys.executable, *arguments]
        return Process(command, self.env, self.folder / f"{name}.txt")

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def stand(folder: Path, postgres_url: str) -> Iterator[Stand]:
    """A stand that cleans up after itself, whatever happens."""
    made = Stand(folder, postgres_url)
    try:
        made.create()
        made.start_redis()
        yield made
    finally:
        made.destroy()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(question: Callable[[], bool], seconds: float, what: str) -> float:
    """Ask until the answer is yes; returns how long it took.

    Raises:
        TimeoutError: it did not become true in time.
    """
    begun = time.monotonic()
    while not question():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)
    return time.monotonic() - begun
