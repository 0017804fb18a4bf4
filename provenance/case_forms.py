"""The shape of the forms of the certifiers' queue: decide, ask for a review."""

from __future__ import annotations

from typing import Any

from django import forms

from provenance.decide import CODES, decisions_for
from provenance.models import Case

MAX_NOTE = 2_000
ACTS = {
    "confirmed": "Confirm",
    "refused": "Refuse",
    "upheld": "Uphold the objection",
    "rejected": "Reject the objection",
}


class DecisionForm(forms.Form):
    """One word with its reason; a value names both, such as `upheld:no-permission`."""

    reason = forms.ChoiceField(label="Decision and reason", widget=forms.RadioSelect)
    note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        label="Note",
        help_text="Whoever the case is about reads it. It is not in the log.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (
                ACTS[decision],
                [
                    (f"{decision}:{code}", said)
                    for code, said in CODES[decision].items()
                ],
            )
            for decision in decisions_for(case)
        ]

    @property
    def decision(self) -> dict[str, str]:
        """What was decided, once the form is valid."""
        decision, _, reason = self.cleaned_data["reason"].partition(":")
        return {
            "decision": decision,
            "reason": reason,
            "note": self.cleaned_data["note"],
        }


class ReviewForm(forms.Form):
    """Ask for a review; an appeal says what the decision got wrong."""

    text = forms.CharField(
        max_length=4_000,
        required=False,
        label="What did the decision get wrong?",
        help_text="Others than those who decided read it. You can appeal once.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
