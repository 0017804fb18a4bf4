"""The shapes of the forms about reported uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from colophon.cloudevent import MAX_ID, MAX_QUANTITY
from colophon.ids import new_id

MAX_FILE_BYTES = 1024 * 1024
MOMENT = "%Y-%m-%dT%H:%M"


class UsageForm(forms.Form):
    """One report: how many uses, and when.

    The hidden id is made when the form is shown, so that a double click counts once.
    """

    quantity = forms.IntegerField(
        min_value=1,
        max_value=MAX_QUANTITY,
        label="How many uses",
        help_text="The whole number since your last report.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    occurred_at = forms.DateTimeField(
        label="When (UTC)",
        help_text="The moment of the use, or the end of the period.",
        input_formats=[MOMENT, f"{MOMENT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )
    event_id = forms.CharField(max_length=MAX_ID, widget=forms.HiddenInput)

    @classmethod
    def fresh(cls) -> UsageForm:
        """An empty form with an id of its own and the present minute."""
        now = timezone.now().replace(second=0, microsecond=0)
        return cls(initial={"event_id": new_id("evt"), "occurred_at": now})


class UsageFileForm(forms.Form):
    """Many reports at once, from a file."""

    file = forms.FileField(
        label="File",
        help_text=(
            "CSV with the columns license, quantity and time, or one JSON object a "
            "line. At most 1,000 reports; the same file again counts nothing twice."
        ),
        widget=forms.ClearableFileInput(
            attrs={"accept": ".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"}
        ),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large to read at once."""
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                "The file is over 1 MiB. Send it with `colophon usage report`."
            )
        return file


def event_of(
    form: UsageForm, *, license_code: str, source: str, event_type: str
) -> dict[str, Any]:
    """The CloudEvent that a filled form reports."""
    moment: datetime = form.cleaned_data["occurred_at"]
    return {
        "specversion": "1.0",
        "type": event_type,
        "source": source,
        "id": form.cleaned_data["event_id"],
        "subject": license_code,
        "time": moment.isoformat().replace("+00:00", "Z"),
        "data": {"quantity": form.cleaned_data["quantity"]},
    }
