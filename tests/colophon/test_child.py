"""The child process: its limits hold, and what kills it does not hurt the parent."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from colophon import child as children
from colophon.child import Child, Limits, Pool
from colophon.errors import CouldNotCheck, CredentialError, InputError

JOBS = "tests.colophon.child_jobs:"
MIB = 1 << 20


@pytest.fixture
def child() -> Iterator[Child]:
    warm = Child(Limits(memory_bytes=512 * MIB, cpu_seconds=1, file_bytes=16 * MIB))
    yield warm
    warm.close()


def call(child: Child, job: str, timeout: float = 60.0, **params: Any) -> Any:
    return child.call(JOBS + job, params, timeout)


def is_gone(pid: int, within: float = 60.0) -> bool:
    """Tell whether a process ends in time; the kernel needs a moment after a kill."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            told = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if told.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_job_returns_its_result_in_another_process(child: Child) -> None:
    assert call(child, "add", first=2, second=3) == 5
    assert call(child, "pid") == child.pid != os.getpid()


def test_the_process_stays_warm_and_is_replaced_after_its_share() -> None:
    child = Child(jobs=3)
    pids = [call(child, "pid") for _ in range(7)]
    child.close()
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]


def test_a_job_that_takes_too_long_is_killed_with_all_it_started(
    child: Child, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    for seconds in (1, 4, 16):  # a busy machine gets longer to come to the sleep
        with pytest.raises(CouldNotCheck, match=f"more than {seconds} seconds"):
            call(child, "sleep_with_child", timeout=seconds, note=str(note))
        if note.is_file():
            break
    assert is_gone(int(note.read_text()), within=30)  # it would sleep for 600


def test_after_a_kill_the_next_job_gets_a_fresh_process(child: Child) -> None:
    before = call(child, "pid")
    with pytest.raises(CouldNotCheck):
        call(child, "sleep", timeout=0.3, seconds=60)
    assert call(child, "add", first=1, second=1) == 2
    assert call(child, "pid") != before
    assert is_gone(before)


def test_processor_time_is_limited_for_each_job_anew(child: Child) -> None:
    with pytest.raises(CouldNotCheck, match="processor time"):
        call(child, "spin", timeout=300)
    for _ in range(5):
        assert call(child, "add", first=1, second=1) == 2


def test_memory_is_limited_and_the_child_lives_on(child: Child) -> None:
    before = call(child, "pid")
    with pytest.raises(CouldNotCheck, match="more memory"):
        call(child, "swell")
    assert call(child, "pid") == before


def test_a_crash_is_an_answer_and_not_the_end(child: Child) -> None:
    with pytest.raises(CouldNotCheck, match="ended unexpectedly"):
        call(child, "crash")
    assert call(child, "add", first=1, second=1) == 2


def test_files_it_writes_are_limited(child: Child, tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck):
        call(child, "fill", path=str(tmp_path / "big"))
    assert (tmp_path / "big").stat().st_size <= 16 * MIB


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        yield server


def test_it_cannot_connect_to_anything(child: Child, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(CouldNotCheck, match="PermissionError"):
        call(child, "connect", port=port)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_native_code_has_no_network_either(
    child: Child, listener: socket.socket
) -> None:
    if not can_unshare():
        pytest.fail("this kernel forbids network namespaces; run where it allows them")
    port = listener.getsockname()[1]
    assert call(child, "connect_natively", port=port) != 0
    signer = Child(Limits(network=True))
    assert call(signer, "connect_natively", port=port) == 0
    signer.close()


def can_unshare() -> bool:
    return os.geteuid() == 0 or Path("/proc/sys/user/max_net_namespaces").exists()


def test_it_cannot_start_other_programs(child: Child) -> None:
    with pytest.raises(CouldNotCheck, match="PermissionError"):
        call(child, "run")


def test_errors_of_a_job_keep_their_kind_and_field(child: Child) -> None:
    with pytest.raises(InputError) as refused:
        call(child, "refuse")
    assert (refused.value.message, refused.value.field) == ("too large", "file")
    with pytest.raises(CredentialError) as slow:
        call(child, "not_credential")
    assert slow.value.code == "timeout"
    assert str(slow.value) == "timeout: too slow"


def test_an_unforeseen_error_names_its_kind_and_none_of_the_content(
    child: Child,
) -> None:
    with pytest.raises(CouldNotCheck, match="ValueError") as failed:
        call(child, "trip", secret="bytes of the file")
    assert "bytes of the file" not in str(failed.value)


def test_printing_does_not_disturb_the_conversation(child: Child) -> None:
    assert call(child, "chatter") == "done"


def test_a_job_may_ask_its_caller(child: Child) -> None:
    answer = child.call(
        JOBS + "double", {"number": 21}, 60.0, lambda asked: 2 * asked["double"]
    )
    assert answer == 42


def test_an_error_in_the_callers_answer_ends_the_conversation(child: Child) -> None:
    def fail(_: dict[str, Any]) -> int:
        raise KeyError("no key here")

    with pytest.raises(KeyError):
        child.call(JOBS + "double", {"number": 1}, 60.0, fail)
    assert call(child, "add", first=1, second=1) == 2


@pytest.mark.parametrize("job", ["babble", "garbage"])
def test_an_answer_that_is_none_is_refused(child: Child, job: str) -> None:
    with pytest.raises(CouldNotCheck):
        call(child, job)
    assert call(child, "add", first=1, second=1) == 2


def test_threads_take_turns(child: Child) -> None:
    results: list[int] = []

    def work(number: int) -> None:
        results.append(call(child, "add", first=number, second=number))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2, 4, 6, 8, 10, 12, 14]


def test_a_forked_process_gets_a_child_of_its_own(child: Child) -> None:
    mine = call(child, "pid")
    fork = multiprocessing.get_context("fork")
    queue: Any = fork.SimpleQueue()
    other = fork.Process(target=lambda: queue.put(call(child, "pid")))
    other.start()
    theirs = queue.get()
    other.join()
    assert theirs != mine
    assert call(child, "pid") == mine


@contextmanager
def slow_file(pool: Pool, folder: Path) -> Iterator[threading.Thread]:
    """A child of the pool is busy inside of the block."""
    begun, end = folder / "begun", folder / "end"
    job = (JOBS + "wait_for", {"begun": str(begun), "end": str(end)}, 300.0)
    slow = threading.Thread(target=pool.call, args=job, daemon=True)
    slow.start()
    while not begun.exists():
        assert slow.is_alive()
        time.sleep(0.02)
    try:
        yield slow
    finally:
        end.touch()
        slow.join()


def test_a_pool_serves_others_while_one_file_is_slow(tmp_path: Path) -> None:
    pool = Pool(2)
    with slow_file(pool, tmp_path) as slow:
        assert pool.call(JOBS + "add", {"first": 1, "second": 1}) == 2
        assert slow.is_alive()
    pool.close()


def test_a_pool_that_is_busy_says_so_in_time(tmp_path: Path) -> None:
    pool = Pool(1)
    with slow_file(pool, tmp_path) as slow:
        with pytest.raises(CouldNotCheck, match="too many files at once"):
            pool.call(JOBS + "add", {"first": 1, "second": 1}, 0.2)
        assert slow.is_alive()
    assert pool.call(JOBS + "add", {"first": 1, "second": 1}) == 2
    pool.close()


def test_the_shared_children_are_the_same_for_all_but_apart_by_network() -> None:
    assert children.default() is children.default()
    assert children.default() is not children.default(network=True)


def test_a_missing_package_is_named_with_what_to_install(child: Child) -> None:
    with pytest.raises(CouldNotCheck, match=r"colophon\[pictures\]"):
        child.call("no_such_package:thing", {})
