"""The spool: whole files or none, in order, private, and one writer at a time."""

from __future__ import annotations

import multiprocessing
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest

from colophon.acts import TicketRef
from colophon.errors import InputError
from colophon.ids import new_id
from colophon.spool import RunInfo, Spool, SpoolError

SITE = "https://colophon.example"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def run() -> str:
    return new_id("run")


def test_steps_come_back_in_their_order_until_they_are_sent(
    spool: Spool, run: str
) -> None:
    for number in (0, 1, 2):
        spool.put(run, number, {"number": number})
    assert spool.runs() == [run]
    found = list(spool.waiting(run))
    assert [body["number"] for _, body in found] == [0, 1, 2]
    spool.sent(found[0][0])
    assert [body["number"] for _, body in spool.waiting(run)] == [1, 2]
    assert (spool.count(run), spool.next_index(run)) == (2, 3)
    for path, _ in spool.waiting(run):
        spool.sent(path)
    assert (spool.count(run), spool.next_index(run), spool.runs()) == (0, 3, [])


def test_a_thousand_steps_keep_their_order(spool: Spool, run: str) -> None:
    folder = spool.folder / run
    folder.mkdir(parents=True)
    for number in range(1_000, 0, -1):
        (folder / f"{number:06}.json").write_text(f'{{"n": {number}}}')
    assert [body["n"] for _, body in spool.waiting(run)] == list(range(1, 1_001))


def test_the_next_position_is_found_without_listing_the_run_again(
    spool: Spool, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Spool(spool.folder)
    assert spool.next_index(run) == 0
    spool.put(run, 0, {})
    assert spool.next_index(run) == 1
    elsewhere.put(run, 1, {})
    elsewhere.put(run, 2, {})
    for path, _ in elsewhere.waiting(run):
        elsewhere.sent(path)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "_steps", lambda _: pytest.fail("the run was listed"))
        assert spool.next_index(run) == 3  # another process kept two, and sent all
    assert Spool(spool.folder).next_index(run) == 3


def test_a_run_whose_folder_was_deleted_begins_again(spool: Spool, run: str) -> None:
    spool.put(run, 0, {})
    assert spool.next_index(run) == 1
    shutil.rmtree(spool.folder / run)
    assert spool.next_index(run) == 0


def test_only_the_owner_can_read_what_waits(spool: Spool, run: str) -> None:
    spool.begin(RunInfo(run, "spring", SITE))
    spool.put(run, 0, {"disclosures": ["a prompt"]})
    folder = spool.folder / run
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [one for one in folder.iterdir() if one.suffix == ".json"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


@pytest.mark.parametrize("ticket", [None, TicketRef(bytes(32), b"\1" * 32)])
def test_a_run_is_remembered(spool: Spool, run: str, ticket: TicketRef | None) -> None:
    said = RunInfo(run, "Frühling — 春", SITE, ticket, ticket is not None)
    spool.begin(said)
    assert Spool(spool.folder).info(run) == said


def test_a_run_that_is_not_here_is_an_input_error(spool: Spool, run: str) -> None:
    with pytest.raises(InputError, match="open it there first"):
        spool.info(run)
    with pytest.raises(InputError, match="id of a run"):
        spool.info("../elsewhere")
    assert (spool.runs(), spool.count(run)) == ([], 0)


@pytest.mark.parametrize("text", ["", "{", '{"v": 2}', "[]", '{"v": 1, "name": ""}'])
def test_a_damaged_run_file_is_named(spool: Spool, run: str, text: str) -> None:
    spool.begin(RunInfo(run, "spring", SITE))
    (spool.folder / run / "run.json").write_text(text)
    with pytest.raises(SpoolError, match=r"run\.json is damaged"):
        spool.info(run)


def test_a_damaged_step_is_named_after_those_before_it(spool: Spool, run: str) -> None:
    spool.put(run, 0, {})
    spool.put(run, 1, {})
    (spool.folder / run / "000001.json").write_text('{"envelope"')
    found = spool.waiting(run)
    assert next(found)[0].name == "000000.json"
    with pytest.raises(SpoolError, match=r"000001\.json is damaged"):
        next(found)


def test_other_files_and_folders_are_left_alone(spool: Spool, run: str) -> None:
    spool.put(run, 0, {})
    (spool.folder / run / "notes.json").write_text("mine")
    (spool.folder / "mine").mkdir()
    assert spool.runs() == [run]
    assert spool.count(run) == 1


def test_one_thread_at_a_time_is_inside_a_lock(spool: Spool, run: str) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with spool.locked(run):
            inside += 1
            most = max(most, inside)
            time.sleep(0.005)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 1


def test_writing_and_sending_do_not_wait_for_each_other(spool: Spool, run: str) -> None:
    done = threading.Event()

    def write() -> None:
        with spool.locked(run, "writing"):
            done.set()

    with spool.locked(run, "sending"):
        thread = threading.Thread(target=write)
        thread.start()
        assert done.wait(60)
        thread.join()


def _put_some(folder: str, run: str, count: int) -> None:
    spool = Spool(folder)
    for _ in range(count):
        with spool.locked(run):
            spool.put(run, spool.next_index(run), {})


def test_processes_share_a_run_without_a_gap(spool: Spool, run: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_put_some, args=(str(spool.folder), run, 10))
        for _ in range(2)
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert [one.exitcode for one in workers] == [0, 0]
    assert (spool.count(run), spool.next_index(run)) == (20, 20)


def test_a_disk_that_cannot_be_written_is_an_os_error(tmp_path: Path, run: str) -> None:
    (tmp_path / "spool").write_text("a file, not a folder")
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        Spool(tmp_path / "spool").put(run, 0, {})
    assert Spool(tmp_path / "spool").runs() == []
