"""The shapes of the forms of disputes: object, answer, appeal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms

from provenance.dispute import Objection
from provenance.reasons import CLAIMS, RELATIONS

MAX_TEXT = 4_000
MAX_LINKS = 10
MAX_LINK = 500
LINES = {"rows": 6}


class DisputeForm(forms.Form):
    """Object to a work."""

    relation = forms.ChoiceField(
        label="Who are you in this?",
        choices=list(RELATIONS.items()),
        widget=forms.RadioSelect,
    )
    reason = forms.ChoiceField(
        label="What is wrong?", choices=list(CLAIMS.items()), widget=forms.RadioSelect
    )
    text = forms.CharField(
        max_length=MAX_TEXT,
        label="What happened, and what shows it?",
        help_text="The owner of the work reads this, so name only whom you want named.",
        widget=forms.Textarea(attrs=LINES),
    )
    links = forms.CharField(
        max_length=MAX_LINKS * (MAX_LINK + 1),
        required=False,
        label="Links",
        help_text="Such as an older publication. One address a line, at most ten.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    contact = forms.EmailField(
        required=False,
        label="Your e-mail address",
        help_text=(
            "Certifiers alone see it. Nothing about you goes into the log or to the "
            "owner of the work."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_links(self) -> str:
        """Web addresses, one a line."""
        lines = [one.strip() for one in self.cleaned_data["links"].splitlines()]
        found = [one for one in lines if one]
        if len(found) > MAX_LINKS:
            raise forms.ValidationError(f"Give at most {MAX_LINKS} addresses.")
        for one in found:
            if len(one) > MAX_LINK or not _is_web(one):
                raise forms.ValidationError(
                    f"“{one[:60]}” is no web address; begin it with https://."
                )
        return "\n".join(found)

    @property
    def objection(self) -> Objection:
        """What was filled in, once it is valid."""
        data: dict[str, Any] = self.cleaned_data
        return Objection(**{name: data[name] for name in self.base_fields})


def _is_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and " " not in text


class AnswerForm(forms.Form):
    """The owner's side."""

    text = forms.CharField(
        max_length=MAX_TEXT,
        label="Your answer",
        help_text="Certifiers and whoever objects read it. You can answer once.",
        widget=forms.Textarea(attrs=LINES),
    )


class AppealForm(forms.Form):
    """Why the decision is wrong."""

    text = forms.CharField(
        max_length=MAX_TEXT,
        label="What did the decision get wrong?",
        help_text="Others than those who decided read it. You can appeal once.",
        widget=forms.Textarea(attrs=LINES),
    )
