"""The command line: exit codes, JSON, real files, real sites on the loopback."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colophon import cli, filedigest, trust
from colophon.authority import Authorities
from colophon.cli_output import Screen, plain
from colophon.credential import inspect_file
from colophon.digest import sha256
from colophon.filedigest import with_pixels
from colophon.filematch import CredentialFacts, FileDigests
from colophon.manifest import Action, ClaimPlan, sign_file
from colophon.note import COSIGNATURE, NoteKey, cosign
from colophon.origin import IPTC
from colophon.trust import Trust
from tests.colophon.bundles import (
    ORIGIN,
    Story,
    an_id,
    at,
    authorities,
    key,
    trust_of,
)
from tests.colophon.sites import Site, site
from tests.colophon.test_logcheck import entries, publish

ACTIONS = (
    Action("c2pa.created", IPTC + "trainedAlgorithmicMedia"),
    Action("c2pa.edited", IPTC + "humanEdits"),
)
Run = Callable[..., tuple[int, str, str]]


@dataclass
class Desk:
    """A real sealed file, its real evidence and a trust file, on disk."""

    folder: Path
    file: Path
    bundle: Path
    trust: Path
    story: Story

    @property
    def usual(self) -> list[str]:
        return ["--bundle", str(self.bundle), "--trust", str(self.trust), "--offline"]


# Ways to keep every sample.
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("PNG", {"compress_level": 1}),
    ("WEBP", {"lossless": True}),
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


def sealed_file(folder: Path, pki: Authorities) -> tuple[Path, Story]:
    """Sign a picture whose credential names the story's steps, and seal it."""
    steps = [one.envelope.digest.hex() for one in Story(pki).tell().of("step")]
    plain_file, file = folder / "plain.png", folder / "night.png"
    Image.radial_gradient("L").resize((96, 64)).convert("RGB").save(plain_file)
    plan = ClaimPlan(
        title="Night current",
        actions=ACTIONS,
        log={"origin": ORIGIN, "asset": an_id("ast", 1), "steps": steps},
    )
    sign_file(
        plain_file,
        file,
        "image/png",
        plan,
        chain_pem=pki.claim.chain.read_bytes(),
        key=pki.claim.key.read_bytes(),
        tsa_url=None,
    )
    seen = inspect_file(file, [pki.claim.root.read_text()], [])
    digests = with_pixels(FileDigests(sha256(file.read_bytes())), file)
    story = Story(pki, credential=CredentialFacts.of(seen), file=digests)
    return file, story


@pytest.fixture(scope="module")
def desk(pki: Authorities, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    file, story = sealed_file(folder, pki)
    bundle, trusted = folder / "b.colophon", folder / "trust.json"
    bundle.write_bytes(story.tell().to_bytes())
    trust.save(trust_of(pki), trusted)
    return Desk(folder, file, bundle, trusted, story)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Run:
    """Call the command line; gives exit code, output and errors."""
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "home"))

    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(one) for one in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def shop() -> Iterator[Site]:
    with site() as found:
        yield found


# --- verify


def test_a_genuine_file_ends_with_zero(desk: Desk, run: Run) -> None:
    code, out, _ = run("verify", desk.file, *desk.usual)
    assert code == 0
    assert "Genuine. This is the sealed file, byte for byte." in out
    assert "Certified provenance (E3, R2, active)" in out
    assert "Human and AI together (recorded)" in out
    assert out.count(" passed ") == 13
    assert "\x1b" not in out


def test_one_changed_byte_ends_with_one(desk: Desk, run: Run, tmp_path: Path) -> None:
    data = bytearray(desk.file.read_bytes())
    data[-20] ^= 1
    other = tmp_path / "night.png"
    other.write_bytes(bytes(data))
    code, out, _ = run("verify", other, *desk.usual)
    assert code == 1
    assert "This is not the file that the evidence is about." in out
    assert "Night current" not in out


@pytest.mark.parametrize(("form", "options"), EXACT)
def test_a_stripped_copy_is_known_by_its_pixels(
    desk: Desk, run: Run, tmp_path: Path, form: str, options: dict[str, Any]
) -> None:
    other = tmp_path / "copy"
    Image.open(desk.file).save(other, form, **options)
    code, out, _ = run("verify", other, *desk.usual)
    assert code == 0
    assert "pixel for pixel" in out
    assert "carries no Content Credential" in out


def test_an_unknown_file_ends_with_two(desk: Desk, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "holiday.png"
    Image.new("RGB", (8, 8)).save(other)
    code, out, _ = run("verify", other, "--trust", desk.trust, "--offline")
    assert code == 2
    assert "says nothing about the file" in out


def test_another_signer_ends_with_four(
    desk: Desk, run: Run, tmp_path: Path, pki: Authorities
) -> None:
    stranger = replace(trust_of(pki), c2pa_roots=())
    trust.save(stranger, tmp_path / "t.json")
    usual = ["--bundle", desk.bundle, "--trust", tmp_path / "t.json", "--offline"]
    code, out, _ = run("verify", desk.file, *usual)
    assert code == 4
    assert "not on your trust list" in out


def test_no_trust_ends_with_ten(desk: Desk, run: Run) -> None:
    code, out, _ = run("verify", desk.file, "--bundle", desk.bundle, "--offline")
    assert code == 10
    assert "signer not known to you" in out


def test_the_worst_file_decides(desk: Desk, run: Run, tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    Image.new("RGB", (8, 8)).save(odd)
    code, out, _ = run("verify", desk.file, odd, "--json", *desk.usual)
    assert code == 1
    found = json.loads(out)
    assert [one["exit"] for one in found["files"]] == [0, 1]
    assert (found["v"], found["exit"]) == (1, 1)


def test_the_json_keys_are_the_documented_ones(desk: Desk, run: Run) -> None:
    _, out, _ = run("verify", desk.file, "--json", *desk.usual)
    (one,) = json.loads(out)["files"]
    assert set(one) == {"name", "recorded", "live", "exit"}
    documented = Path(__file__).parents[2] / "docs" / "cli.md"
    text = documented.read_text()
    for name in one["recorded"]:
        assert f"`{name}`" in text
    for check in one["recorded"]["checks"]:
        assert set(check) == {"n", "id", "result", "code", "words", "detail"}
        assert f"| {check['n']} | `{check['id']}` |" in text
    for criterion in one["recorded"]["verdict"]["criteria"]:
        assert criterion["id"] in text + (
            documented.with_name("badge-policy.md").read_text()
        )


def test_two_machines_give_the_same_recorded_bytes(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere.png"
    moved.write_bytes(desk.file.read_bytes())
    moment = "--as-of=2030-01-01T00:00:00Z"
    _, first, _ = run("verify", desk.file, "--json", moment, *desk.usual)
    _, second, _ = run("verify", moved, "--json", moment, *desk.usual)
    one, two = (json.loads(text)["files"][0] for text in (first, second))
    assert one["recorded"] == two["recorded"]
    assert one["name"] != two["name"]


def test_evidence_beside_the_file_is_found(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "night.png"
    file.write_bytes(desk.file.read_bytes())
    beside = tmp_path / "night.png.colophon"
    beside.write_bytes(desk.bundle.read_bytes())
    assert run("verify", file, "--trust", desk.trust, "--offline")[0] == 0
    beside.unlink()
    code, out, _ = run("verify", file, "--trust", desk.trust, "--offline")
    assert code == 13
    assert "evidence is not at hand" in out


def site_trust(desk: Desk, shop: Site, folder: Path) -> Path:
    place = folder / "site-trust.json"
    trust.save(replace(trust.load(desk.trust), site=shop.url), place)
    return place


def test_evidence_comes_from_the_site_that_trust_names(
    desk: Desk, run: Run, shop: Site, tmp_path: Path
) -> None:
    digest = sha256(desk.file.read_bytes()).hex()
    path = f"/api/v1/evidence?sha256={digest}"
    shop.pages[path] = desk.bundle.read_bytes()
    code, out, _ = run("verify", desk.file, "--trust", site_trust(desk, shop, tmp_path))
    assert code == 0
    assert "Today's standing is active" in out
    assert shop.asked == [path, path]


def test_offline_asks_nobody(desk: Desk, run: Run, shop: Site, tmp_path: Path) -> None:
    place = site_trust(desk, shop, tmp_path)
    code, _, _ = run("verify", desk.file, "--trust", place, "--offline")
    assert (code, shop.asked) == (13, [])


@pytest.fixture
def small_copy(desk: Desk, tmp_path: Path) -> Path:
    """The work at another size, without its credential."""
    place = tmp_path / "small.png"
    Image.open(desk.file).resize((72, 48)).save(place)
    return place


@pytest.fixture
def trusting(desk: Desk, shop: Site, tmp_path: Path) -> Path:
    """A trust file that names the shop as its site."""
    return site_trust(desk, shop, tmp_path)


def test_a_smaller_copy_only_looks_like_the_work(
    run: Run, shop: Site, trusting: Path, small_copy: Path
) -> None:
    prints = filedigest.looks(small_copy)
    assert len(set(prints)) > 1
    like = {"asset": "ast_1", "title": "Night current", "bits": 6, "strong": True}
    path = f"/api/v1/look-alikes?pdq={','.join(prints)}"
    shop.pages[path] = json.dumps({"similar": [like]}).encode()
    asked = ["verify", small_copy, "--trust", trusting]
    code, out, _ = run(*asked)
    assert code == 3
    assert "proves nothing about this file" in out
    assert "Night current (ast_1), 6 of 256 bits differ" in out
    assert shop.asked[-1] == path
    told = json.loads(run(*asked, "--json")[1])
    assert told["files"][0]["recorded"]["similar"] == [like]
    assert run(*asked, "--offline")[0] == 2


@pytest.mark.parametrize(
    "said",
    [
        (b'{"similar": []}', 2),
        (None, 2),
        (b'{"similar": [{"asset": "ast_1"}]}', 11),
        (b"[]", 11),
        (b"<html>", 11),
    ],
    ids=["nothing like it", "an older site", "half an answer", "a list", "no JSON"],
)
def test_what_the_site_says_of_look_alikes_is_checked(
    run: Run,
    shop: Site,
    trusting: Path,
    small_copy: Path,
    said: tuple[bytes | None, int],
) -> None:
    answer, code = said
    path = f"/api/v1/look-alikes?pdq={','.join(filedigest.looks(small_copy))}"
    if answer is not None:
        shop.pages[path] = answer
    assert run("verify", small_copy, "--trust", trusting)[0] == code


def test_what_is_no_picture_has_no_looks(tmp_path: Path) -> None:
    place = tmp_path / "words.txt"
    place.write_text("no picture")
    assert filedigest.looks(place) == []


def test_a_site_that_does_not_answer_ends_with_eleven(
    desk: Desk, run: Run, tmp_path: Path, shop: Site
) -> None:
    digest = sha256(desk.file.read_bytes()).hex()
    shop.pages[f"/api/v1/evidence?sha256={digest}"] = b""
    shop.status[f"/api/v1/evidence?sha256={digest}"] = 503
    code, out, _ = run("verify", desk.file, "--trust", site_trust(desk, shop, tmp_path))
    assert code == 11
    assert "Could not check" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["verify"], 64, "required: FILE"),
        (["bake"], 64, "invalid choice"),
        (["verify", "nothing.png"], 12, ""),
        (["verify", "x", "--as-of", "today"], 12, "--as-of: is not a time"),
        (["verify", "x", "--offline", "--rpc", "http://x"], 12, "--rpc: cannot"),
        (["verify", "x", "--trust", "nothing.json"], 10, "nothing.json"),
        (["inspect", "nothing.png"], 12, "is not a file"),
        (["trust", "show"], 10, "colophon trust fetch"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    run: Run, arguments: list[str], code: int, words: str
) -> None:
    found, _, err = run(*arguments)
    assert found == code
    assert words in err


def test_a_damaged_bundle_is_could_not_check(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    broken = tmp_path / "b.colophon"
    broken.write_bytes(desk.bundle.read_bytes()[:-9])
    code, out, _ = run("verify", desk.file, "--bundle", broken, "--trust", desk.trust)
    assert code == 12
    assert "not a readable zip" in out


# --- inspect


def test_inspect_tells_the_state_in_words(
    desk: Desk, run: Run, pki: Authorities
) -> None:
    code, out, _ = run("inspect", desk.file, "--trust-anchors", pki.claim.root)
    assert code == 0
    assert "Trusted" in out
    assert "Human and AI together (declared)" in out
    code, out, _ = run("inspect", desk.file)
    assert code == 4
    assert "signingCredential.untrusted" in out
    code, out, _ = run("inspect", desk.file, "--json")
    assert json.loads(out)["c2pa"]["state"] == "Valid"


def test_inspect_needs_pem_anchors(desk: Desk, run: Run) -> None:
    code, _, err = run("inspect", desk.file, "--trust-anchors", desk.file)
    assert code == 12
    assert "holds no certificate in PEM" in err


# --- trust


def put_trust(shop: Site, pki: Authorities, **changes: Any) -> Trust:
    found = replace(trust_of(pki), site=shop.url, **changes)
    shop.pages["/trust.json"] = json.dumps(found.to_json()).encode()
    return found


def test_trust_is_pinned_on_first_use(
    run: Run, shop: Site, pki: Authorities, tmp_path: Path
) -> None:
    wanted = put_trust(shop, pki)
    code, out, _ = run("trust", "fetch", shop.url)
    assert code == 0
    assert "Pinned on first use" in out
    place = tmp_path / "home" / "trust.json"
    assert trust.load(place) == wanted
    assert dict(wanted.fingerprints())["log key"] in out
    code, out, _ = run("trust", "fetch", shop.url)
    assert (code, "Unchanged" in out) == (0, True)
    assert "log key" in run("trust", "show")[1]


def test_a_silent_change_of_trust_is_refused(
    run: Run, shop: Site, pki: Authorities, tmp_path: Path
) -> None:
    before = put_trust(shop, pki)
    run("trust", "fetch", shop.url)
    after = put_trust(shop, pki, verdict_keys=())
    place = tmp_path / "home" / "trust.json"
    code, out, _ = run("trust", "fetch", shop.url)
    assert code == 1
    assert "- verdict key" in out
    assert trust.load(place) == before
    assert run("trust", "fetch", shop.url, "--accept", "0000 1111")[0] == 1
    name = dict(after.fingerprints())["trust file"]
    assert run("trust", "fetch", shop.url, "--accept", name)[0] == 0
    assert trust.load(place) == after


def test_a_malformed_trust_file_is_not_kept(
    run: Run, shop: Site, tmp_path: Path
) -> None:
    shop.pages["/trust.json"] = b'{"v": 1}'
    code, _, err = run("trust", "fetch", shop.url)
    assert code == 12
    assert "origin: is missing" in err
    assert not (tmp_path / "home" / "trust.json").exists()


def test_a_site_without_trust_ends_with_eleven(run: Run, shop: Site) -> None:
    code, _, err = run("trust", "fetch", shop.url)
    assert code == 11
    assert "does not exist" in err


# --- log check


def put_log(shop: Site, count: int, *, first: int = 0) -> None:
    note, pages = publish(entries(first + count)[first:])
    shop.pages = {f"/log/{path}": data for path, data in pages.items()}
    shop.pages["/log/checkpoint"] = note.encode()
    vkey = NoteKey.of_signer(ORIGIN, key("log")).vkey
    shop.pages["/log/keys"] = json.dumps({"keys": [{"vkey": vkey}]}).encode()


def test_a_log_is_checked_again_and_again(run: Run, shop: Site) -> None:
    put_log(shop, 20)
    code, out, _ = run("log", "check", shop.url)
    assert code == 0
    assert "First check" in out
    assert "from now on this one counts" in out
    put_log(shop, 300)
    code, out, _ = run("log", "check", shop.url)
    assert code == 0
    assert "280 entries more than last time" in out


def test_a_rewritten_log_ends_with_one(run: Run, shop: Site) -> None:
    put_log(shop, 20)
    run("log", "check", shop.url)
    put_log(shop, 30, first=1)
    code, out, _ = run("log", "check", shop.url, "--json")
    assert code == 1
    assert json.loads(out)["holds"] is False
    put_log(shop, 20)
    assert run("log", "check", shop.url)[0] == 0


def test_the_log_key_of_the_trust_file_counts(
    run: Run, shop: Site, pki: Authorities, tmp_path: Path
) -> None:
    put_log(shop, 3)
    other = NoteKey.of_signer(ORIGIN, key("thief"))
    trust.save(replace(trust_of(pki), log_keys=(other,)), tmp_path / "t.json")
    code, out, _ = run("log", "check", shop.url, "--trust", tmp_path / "t.json")
    assert code == 1
    assert "no signature of a known key" in out


def test_the_witnesses_of_the_trust_file_are_counted(
    run: Run, shop: Site, tmp_path: Path, pki: Authorities
) -> None:
    put_log(shop, 3)
    w1 = NoteKey.of_signer("w1", key("w1"), COSIGNATURE)
    mine = replace(trust_of(pki), witness_keys=(w1,), quorum=1)
    trust.save(mine, tmp_path / "t.json")
    checked = ("log", "check", shop.url, "--trust", tmp_path / "t.json")
    assert "0 of 1 cosigned this head; your trust file asks for 1" in run(*checked)[1]
    bare = shop.pages["/log/checkpoint"].decode()
    shop.pages["/log/checkpoint"] = cosign(bare, "w1", key("w1"), at(0)).encode()
    assert "1 of 1 cosigned" in run(*checked)[1]
    assert json.loads(run(*checked, "--json")[1])["witnesses"] == ["w1"]
    late = at(0).replace(year=2300)
    shop.pages["/log/checkpoint"] = cosign(bare, "w1", key("w1"), late).encode()
    assert "0 of 1 cosigned" in run(*checked)[1]


def test_an_old_note_is_a_past_that_counts_when_the_log_signed_it(
    run: Run, shop: Site, tmp_path: Path
) -> None:
    old = tmp_path / "old.txt"
    put_log(shop, 7)
    old.write_bytes(shop.pages["/log/checkpoint"])
    put_log(shop, 20)
    code, out, _ = run("log", "check", shop.url, "--since", old)
    assert code == 0
    assert "13 entries more since" in out
    code, out, _ = run("log", "check", shop.url, "--since", old, "--json")
    assert json.loads(out)["since"] == 13
    # Another past is found; a note that the log did not sign is no past.
    put_log(shop, 20, first=1)
    state = ("--state", tmp_path / "fresh.json")
    code, out, _ = run("log", "check", shop.url, "--since", old, *state)
    assert code == 1
    assert "first 7 entries are not those of the old note" in out
    text = old.read_text()
    for wrong in (
        text.replace("\n7\n", "\n6\n"),
        "hello\n",
        publish(entries(7), by="eve")[0],
    ):
        old.write_text(wrong)
        code, _, err = run("log", "check", shop.url, "--since", old)
        assert code == 12
        assert "--since" in err
    assert run("log", "check", shop.url, "--since", tmp_path / "none.txt")[0] == 12


def test_a_log_with_a_missing_tile_could_not_be_checked(run: Run, shop: Site) -> None:
    put_log(shop, 3)
    del shop.pages["/log/tile/0/000.p/3"]
    assert run("log", "check", shop.url)[0] == 11


# --- the screen


def test_color_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def written() -> str:
        stream = Terminal()
        Screen(stream).line("hello", "good")
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert written() == "\x1b[32mhello\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert written() == "hello\n"


def test_a_title_cannot_move_the_cursor() -> None:
    assert plain("a\x1b[2Jb\rc\u202e") == "a\ufffd[2Jb\ufffdc\ufffd"
