"""The front end stays plain: no inline style or script, no outside address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
PARTIALS = sorted((ROOT / "templates" / "partials").glob("*.html"))
INLINE = re.compile(r"""\sstyle\s*=|<style\b|\son[a-z]+\s*=\s*["']|javascript:""")
SCRIPT = re.compile(r"<script\b([^>]*)>")


def name(path: Path) -> str:
    """Return a path as the test report shows it."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_has_no_inline_style_or_handler(path: Path) -> None:
    assert not INLINE.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_script_element_names_a_file_or_holds_data(path: Path) -> None:
    for attributes in SCRIPT.findall(path.read_text(encoding="utf-8")):
        assert "src=" in attributes or "application/" in attributes


@pytest.mark.parametrize("path", PARTIALS, ids=name)
def test_a_partial_states_its_job_in_its_first_comment(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("{% comment %}")


@pytest.mark.parametrize("path", STYLES, ids=name)
def test_a_style_sheet_is_linked_and_loads_nothing_from_outside(path: Path) -> None:
    linked = (ROOT / "templates/partials/stylesheets.html").read_text(encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert f"css/{path.name}" in linked
    assert "@import" not in text
    assert "http" not in text


@pytest.mark.parametrize(
    "path", [path for path in STYLES if path.name != "tokens.css"], ids=name
)
def test_colors_come_from_the_tokens_alone(path: Path) -> None:
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8"))


def unused_classes(styles: str, users: str) -> set[str]:
    """Classes that no element wears; `money--{{ size }}` wears every size."""
    plain = re.sub(r"/\*.*?\*/|url\([^)]*\)|\"[^\"]*\"", "", styles, flags=re.DOTALL)
    return {
        one
        for one in re.findall(r"\.(-?[a-z][\w-]*)", plain)
        if not re.search(rf"(?<![\w-]){one}(?![\w-])", users)
        and not re.search(
            rf"{re.escape(one[: one.rfind('-') + 1] or one)}\{{\{{", users
        )
    }


def test_every_class_of_a_style_sheet_is_worn() -> None:
    styles = "".join(path.read_text(encoding="utf-8") for path in STYLES)
    users = "".join(path.read_text(encoding="utf-8") for path in wearers())
    assert unused_classes(styles, users) == set()
    assert unused_classes(".a { } .b--x, .c { }", "a b--{{ kind }}") == {"c"}


def wearers() -> list[Path]:
    """Files that may put a class on an element."""
    apps = [ROOT / name for name in ("accounts", "provenance", "marketplace")]
    apps += [ROOT / "royalties", ROOT / "config"]
    code = [path for app in apps for path in app.rglob("*.py")]
    return [*TEMPLATES, *(ROOT / "static" / "js").glob("*.js"), *code]


def test_the_plain_checks_catch_what_they_look_for() -> None:
    assert INLINE.search('<p style="color:red">')
    assert INLINE.search('<a onclick="x()">')
    assert not INLINE.search('<link rel="stylesheet" href="x">')
