"""A data set's root, and proofs that an item is in it or is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import cli
from colophon.dataset import Dataset, ItemProof, Items, check_proof
from colophon.digest import sha256
from colophon.errors import InputError, ProofError
from colophon.merkle import leaf_hash, root

Run = Callable[..., tuple[int, str, str]]
DIGESTS = st.binary(min_size=32, max_size=32)


def items(count: int) -> Items:
    return Items(sha256(bytes([one])) for one in range(count))


def described(found: Items) -> Dataset:
    return found.describe(name="Norsk Kyst", version="1.2")


@given(st.sets(DIGESTS, min_size=1, max_size=60), DIGESTS)
def test_every_digest_is_proved_to_be_in_or_not(
    listed: set[bytes], other: bytes
) -> None:
    found = Items(listed)
    made = described(found)
    assert made.root == root(leaf_hash(one) for one in sorted(listed))
    for item in (*sorted(listed), other):
        proof = found.prove(made, item)
        assert check_proof(made, proof, item) is (item in listed)
        assert ItemProof.from_json(json.dumps(proof.to_json()).encode()) == proof


@given(st.sets(DIGESTS, min_size=3, max_size=40), st.data())
def test_no_item_that_is_in_is_proved_to_be_out(
    listed: set[bytes], data: st.DataObject
) -> None:
    """Whichever two neighbors an owner shows."""
    found = Items(listed)
    made = described(found)
    item = data.draw(st.sampled_from(sorted(listed)))
    others = [one for one in sorted(listed) if one != item]
    shown = data.draw(st.lists(st.sampled_from(others), max_size=2))
    near = tuple(found.prove(made, one).neighbors[0] for one in shown)
    lie = replace(found.prove(made, item), neighbors=near)
    with pytest.raises(ProofError):
        check_proof(made, lie, item)


def test_an_item_that_comes_twice_counts_once() -> None:
    one, other = sha256(b"1"), sha256(b"2")
    assert Items([one, other, one]).digests == sorted([one, other])


def test_the_description_is_the_vector() -> None:
    made = described(items(5))
    assert made.to_bytes() == (
        b'{"count":5,"name":"Norsk Kyst",'
        b'"root":"3afa2f51d328742e875597963a14ba48e21ab491403b5e89e1e72409978707db","v":1,"version":"1.2"}'
    )
    assert (
        made.digest.hex()
        == "02a2b801c6b2ae597b3934badd9a5f04b7b0f9e4dec6ba7a5f7716d2e46e5608"
    )
    assert Dataset.from_bytes(made.to_bytes()) == made


def test_another_form_of_the_description_is_refused() -> None:
    with pytest.raises(InputError, match="canonical"):
        Dataset.from_bytes(described(items(2)).to_bytes() + b"\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": bytes(32)}, "another data set"),
        ({"item": bytes(32)}, "another file"),
        ({"neighbors": ()}, "do not show"),
    ],
)
def test_a_proof_about_something_else_proves_nothing(
    change: dict[str, object], words: str
) -> None:
    found = items(9)
    made, item = described(found), sha256(bytes([4]))
    proof = replace(found.prove(made, item), **change)  # type: ignore[arg-type]
    with pytest.raises(ProofError, match=words):
        check_proof(made, proof, item)


def test_a_broken_path_proves_nothing() -> None:
    found = items(9)
    made, item = described(found), sha256(bytes([4]))
    (near,) = found.prove(made, item).neighbors
    path = (bytes(32), *near.path[1:])
    lie = replace(found.prove(made, item), neighbors=(replace(near, path=path),))
    with pytest.raises(ProofError, match="another root"):
        check_proof(made, lie, item)


def test_the_items_of_another_set_prove_nothing() -> None:
    with pytest.raises(InputError, match="not those of this data set"):
        items(4).prove(described(items(5)), sha256(b""))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no items"),
        (bytes(31), "cut off"),
        (bytes(64), "ascending"),
        (b"\x01" * 32 + bytes(32), "ascending"),
    ],
)
def test_a_damaged_item_file_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Items.from_bytes(data)


def test_proofs_stay_short() -> None:
    found = Items(sha256(number.to_bytes(4, "big")) for number in range(100_000))
    made = described(found)
    proof = found.prove(made, sha256((77).to_bytes(4, "big")))
    assert len(proof.neighbors[0].path) <= 17
    assert Items.from_bytes(found.to_bytes()).describe(name="n", version="1")


# --- the command line


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(one) for one in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    (place / "deep").mkdir(parents=True)
    (place / "a.jpg").write_bytes(b"a")
    (place / "deep" / "b.jpg").write_bytes(b"b")
    (place / "deep" / "again.jpg").write_bytes(b"a")
    (place / "link.jpg").symlink_to(place / "a.jpg")
    return place


def test_build_prove_and_check(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said, _ = run("dataset", "build", folder, "--name", "My set", "-o", out)
    assert code == 0
    assert "2 of 3 files, each once" in said
    dataset = out / "My-set.dataset.json"
    assert sha256(dataset.read_bytes()).hex() in said
    mine, stranger = folder / "deep" / "b.jpg", tmp_path / "stranger.jpg"
    stranger.write_bytes(b"c")
    for file, wanted in ((mine, 0), (stranger, 2)):
        proof = tmp_path / f"{file.name}.proof.json"
        assert run("dataset", "prove", dataset, file, "-o", proof)[0] == wanted
        code, said, _ = run("dataset", "check", dataset, proof, file)
        assert code == wanted
        assert ("is in My set" in said) is (wanted == 0)
    proof = tmp_path / "b.jpg.proof.json"
    code, said, _ = run("dataset", "check", dataset, proof, stranger, "--json")
    assert (code, json.loads(said)["answer"]) == (1, "broken")
    digest = sha256(b"b").hex()
    assert run("dataset", "check", dataset, proof, digest)[0] == 0


def test_a_list_of_digests_will_do(run: Run, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{sha256(b'a').hex()}\n{sha256(b'b').hex()}\n")
    asked = ["dataset", "build", "--digests", listed, "--name", "n", "-o", tmp_path]
    assert run(*asked)[0] == 0
    listed.write_text("no digest\n")
    code, _, err = run(*asked)
    assert code == 12
    assert "line 1" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "--name", "n"], "name a folder"),
        (["build", "nowhere", "--name", "n"], "No such file"),
        (["prove", "nothing.json", "ab" * 32], "nothing.json"),
        (["check", "nothing.json", "nothing", "ab" * 32], "nothing.json"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    run: Run, arguments: list[str], words: str
) -> None:
    code, _, err = run("dataset", *arguments)
    assert code == 12
    assert words in err
