"""Every partial, light and dark, wide and 320 px: no axe finding, nothing sideways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django import forms
from playwright.sync_api import Browser

from tests.static.conftest import Site

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
WORDS = ["Declared", "Credentialed", "Certified provenance", "Certified, reviewed"]
STANDINGS = ["active", "pending", "contested", "suspended", "expired", "superseded"]
OUTCOMES = ["genuine", "like", "altered", "foreign", "none", "broken"]
DIGEST = "7c1e" * 16
CONTENT = """
<div class="stack"><h1>Parts</h1>
<p class="chips">{% for v in verdicts %}
{% include "partials/badge.html" with verdict=v only %}
{% include "partials/origin_chip.html" with verdict=v only %}{% endfor %}</p>
<div class="sheet">
{% include "partials/badge.html" with verdict=verdicts.0 size="large" only %}</div>
{% for outcome in outcomes %}
{% include "partials/verdict.html" with outcome=outcome title=outcome uid=outcome %}
{% endfor %}
{% include "partials/origin_split.html" with split=split note="A note." only %}
{% include "partials/split_table.html" with rows=rows total_units=40000000 only %}
{% include "partials/tiles.html" with tiles=tiles only %}
{% include "partials/bar_chart.html" with title="Earned" series=series rows=bars only %}
{% include "partials/checks.html" with checks=checks sum="2 of 3 checks done" only %}
<h2>Story</h2><ol class="timeline">
{% include "partials/timeline_step.html" with step=step only %}</ol>
{% include "partials/notice.html" with text="It failed." kind="bad" only %}
{% include "partials/notice.html" with text="It worked." kind="ok" only %}
{% include "partials/empty.html" with title="Nothing" text="Yet." url="/" action="Go" %}
<p>{% include "partials/status_pill.html" with word="Live" state="ok" only %}
{% include "partials/hash.html" with value=digest label="sha256" whole=True only %}</p>
<form method="post" data-upload>{% include "partials/form.html" with form=form only %}
{% include "partials/drop_zone.html" with label="Choose a file" hint="Any." only %}
{% include "partials/progress.html" only %}
<p class="form__actions"><button class="button">Save</button>
<button class="button button--quiet" type="button">Back</button>
<button class="button button--danger" type="button">Withdraw</button></p></form>
<pre>curl -s https://colophon.example/api/v1/assets/ast_0193/evidence -o a.zip</pre>
{% include "partials/pager.html" with next_url="/?c=2" first_url="/" only %}</div>
"""


class Terms(forms.Form):
    """A refused form with each kind of control."""

    title = forms.CharField(help_text="As it appears.")
    use = forms.ChoiceField(choices=[("a", "Editorial")])
    origin = forms.ChoiceField(choices=[("ai", "AI")], widget=forms.RadioSelect)
    about = forms.CharField(widget=forms.Textarea)
    agree = forms.BooleanField(label="I may sell this")


def parts() -> dict[str, Any]:
    """Return one context that fills every partial."""
    verdicts = [
        {"word": word, "standing": s, "level": 3, "o_class": o, "words": "Because."}
        for word in WORDS
        for s, o in zip(STANDINGS, ["AI", "HYBRID", "HUMAN_MADE"] * 2, strict=True)
    ]
    return {
        "test_network": "anvil 31337",
        "verdicts": verdicts[12:] + verdicts[:12],
        "outcomes": OUTCOMES,
        "split": {
            "ai_ppm": 620_000,
            "human_ppm": 310_000,
            "program_ppm": 20_000,
            "unknown_ppm": 50_000,
        },
        "rows": [{"name": "Ada", "role": "creator", "units": 40_000_000, "ppm": 10**6}],
        "tiles": [{"label": "Pending", "units": 90_000_001, "note": "until noon"}],
        "series": [{"name": "Creator", "kind": "human"}, {"name": "AI", "kind": "ai"}],
        "bars": [{"label": f"M{n}", "values": [n, 12 - n]} for n in range(12)],
        "checks": [
            {"words": "Signatures", "state": "passed"},
            {"words": "File", "state": "failed", "detail": DIGEST},
            {"words": "Anchor", "state": "not checked"},
        ],
        "step": {
            "kind": "ai",
            "label": "Generate",
            "title": "Draft",
            "text": "Prompt committed.",
            "who": "Studio",
            "at": datetime(2026, 11, 1, tzinfo=UTC),
            "digest": DIGEST,
            "finding": "the picture also changed elsewhere",
            "more": [("Tool", "Krita 5.2")],
        },
        "digest": DIGEST,
        "form": Terms({"origin": "?"}),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_partial_is_accessible_and_fits(
    chromium: Browser, site: Site, scheme: Any, width: int
) -> None:
    page = chromium.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    refused: list[str] = []
    page.on("console", lambda line: line.type == "error" and refused.append(line.text))
    page.goto(site.page("/parts", CONTENT, "upload", **parts()))
    results = Axe().run(page, options=RULES).response["violations"]
    found = [(rule["id"], rule["nodes"][0]["html"]) for rule in results]
    wide = page.evaluate("document.documentElement.scrollWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a.button, summary, nav a")]
          .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24)
          .map((e) => e.outerHTML.slice(0, 90))"""
    )
    page.close()
    assert (found, refused, small) == ([], [], [])
    assert wide <= width


def test_the_checks_of_this_page_find_planted_faults(
    chromium: Browser, site: Site
) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 900})
    page.goto(site.page("/bad", '<h1>Bad</h1><img src="/static/img/icon.svg"><input>'))
    ids = {rule["id"] for rule in Axe().run(page).response["violations"]}
    page.close()
    assert {"image-alt", "label"} <= ids


def test_the_menu_opens_without_script_on_a_phone(
    chromium: Browser, site: Site
) -> None:
    page = chromium.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 700}
    ).new_page()
    page.goto(site.page("/", "<h1>Home</h1>"))
    entry = page.locator("#menu button", has_text="Close")
    assert not entry.is_visible()
    page.get_by_role("button", name="Menu").click()
    assert entry.is_visible()
    page.context.close()
