"""The shapes of the forms of studio, upload and registry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Party
from colophon.digest import from_hex
from colophon.errors import InputError
from colophon.formats import ACCEPT, ANY_OF
from provenance.declare import ORIGINS
from provenance.files import digest_of
from provenance.models import AgreementPart, Asset, Run, Source
from provenance.shares import Part, default_parts, parse_parts

PPM_PER_PERCENT = 10_000
MAX_TEXT = 4_000
EXTRA_MAKERS = 2
_ALL = ("data_mining", "ai_inference", "ai_training", "ai_generative_training")
TRAINING = {
    "no": ("No", {"ai_training": "notAllowed", "ai_generative_training": "notAllowed"}),
    "some": (
        "Only models that generate nothing, such as for search",
        {"ai_training": "allowed", "ai_generative_training": "notAllowed"},
    ),
    "yes": ("Yes", dict.fromkeys(_ALL, "allowed")),
}
MAX_HASHED_BYTES = 256 * 1024 * 1024
DATASETS_SHOWN = 200


class PercentField(forms.DecimalField):
    """A percentage with up to four decimals; cleans to whole parts per million."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, decimal_places=4, **options)

    def clean(self, value: Any) -> Any:
        found = super().clean(str(value or "").strip().removesuffix("%"))
        return None if found is None else int(found * PPM_PER_PERCENT)


def percent_text(ppm: int) -> str:
    """Parts per million as the percentage that a PercentField takes: 125000 is 12.5."""
    text = f"{Decimal(ppm) / PPM_PER_PERCENT:.4f}"
    return text.rstrip("0").rstrip(".")


class SourceForm(forms.Form):
    """Register a model, a data set or a picture."""

    kind = forms.ChoiceField(
        label="What is it?",
        choices=[
            (Source.Kind.MODEL, "A model"),
            (Source.Kind.DATASET, "A data set"),
            (Source.Kind.MEDIA, "A picture, or another file that works are made from"),
        ],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(max_length=160, label="Name")
    version = forms.CharField(
        max_length=40,
        required=False,
        label="Version",
        help_text="Such as 3.1. A new version is registered anew; the old one stays.",
    )
    digest = forms.CharField(
        required=False,
        max_length=71,
        label="SHA-256",
        help_text=(
            "Of the weights file, or of the file that lists a data set's items. "
            "Choose the file above and it is computed, or paste what "
            "<code>sha256sum</code> prints."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(required=False, label="File")
    own = forms.ChoiceField(
        label="Whose is it?",
        choices=[("yes", "Mine, or my organization's"), ("no", "Somebody else's")],
        widget=forms.RadioSelect,
        initial="yes",
    )
    owner_name = forms.CharField(
        max_length=120,
        required=False,
        label="Who owns it?",
        help_text=(
            "Only when it is somebody else's. Their part of what works earn is kept "
            "for them until they claim it."
        ),
    )
    ask = PercentField(
        required=False,
        label="What you ask, in percent",
        help_text=(
            "Of everything a work made with it earns. Signed once, it accepts every "
            "agreement that gives you at least this much. Leave it empty to be asked "
            "each time."
        ),
    )
    training = forms.ChoiceField(
        required=False,
        label="May generative AI be trained on it?",
        choices=[("", "Not said"), ("allowed", "Yes"), ("notAllowed", "No")],
    )
    trained_on = forms.ModelMultipleChoiceField(
        queryset=Source.objects.none(),
        required=False,
        label="Trained on",
        help_text="Registered data sets, for a model. Their owners share in it.",
    )
    terms = forms.CharField(
        max_length=MAX_TEXT,
        required=False,
        label="Terms",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    description = forms.CharField(
        max_length=MAX_TEXT,
        required=False,
        label="Description",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = (
            Source.objects.filter(kind=Source.Kind.DATASET)
            .order_by("-pk")
            .values("pk")[:DATASETS_SHOWN]
        )
        field = self.fields["trained_on"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Source.objects.filter(
            pk__in=list(newest.values_list("pk", flat=True))
        ).order_by("name")

    def clean(self) -> dict[str, Any]:
        """Exactly one digest; an ask only by the owner."""
        data = dict(super().clean() or {})
        data["sha256"] = self._digest(data)
        own = data.get("own") == "yes"
        if not own and not data.get("owner_name"):
            self.add_error("owner_name", "Say who owns it.")
        if not own and data.get("ask") is not None:
            self.add_error("ask", "Only the owner can ask; leave it empty.")
        if data.get("trained_on") and data.get("kind") != Source.Kind.MODEL:
            self.add_error("trained_on", "Only a model is trained on data sets.")
        return data

    def _digest(self, data: dict[str, Any]) -> bytes | None:
        text = str(data.get("digest") or "").split(" ")[0].lower()
        file = data.get("file")
        if text:
            try:
                return from_hex(text.removeprefix("sha256:"), 32)
            except InputError:
                self.add_error(
                    "digest", "Paste 64 letters and digits, 0 to 9 and a to f."
                )
                return None
        if file is None:
            self.add_error("digest", "Choose the file, or paste its SHA-256.")
            return None
        if file.size > MAX_HASHED_BYTES:
            words = "The file is too large to send; paste its SHA-256 instead."
            self.add_error("digest", words)
            return None
        return digest_of(file)[0]


class UploadForm(forms.Form):
    """What the upload page asks about a work."""

    file = forms.FileField(
        label="Picture",
        help_text=f"{ANY_OF}, up to 50 MB. Drop it anywhere on this page.",
        error_messages={"required": f"Choose a {ANY_OF} picture."},
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )
    title = forms.CharField(max_length=160, label="Title")
    alt_text = forms.CharField(
        max_length=300,
        label="Description for people who cannot see it",
        help_text="One sentence about what it shows. It stands in the file, too.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    creator_name = forms.CharField(
        max_length=120,
        label="Made by",
        help_text="The name in the credit line, on the page and in the file.",
    )
    description = forms.CharField(
        max_length=MAX_TEXT,
        required=False,
        label="About the work",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    run = forms.ModelChoiceField(
        queryset=Run.objects.none(),
        required=False,
        to_field_name="code",
        label="Recorded steps",
        empty_label="None: I say below how it was made",
        help_text="Steps that your pipeline or the recorder wrote down as you worked.",
    )
    origin = forms.ChoiceField(
        required=False,
        label="How was it made?",
        choices=[(key, words) for key, (_, _, words) in ORIGINS.items()],
        widget=forms.RadioSelect,
        help_text=(
            "You sign this answer and it is shown as your word. Recorded steps say "
            "more, and count for more."
        ),
    )
    training = forms.ChoiceField(
        label="May AI be trained on it?",
        choices=[(key, words) for key, (words, _) in TRAINING.items()],
        widget=forms.RadioSelect,
        initial="no",
    )

    def __init__(self, *args: Any, party: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["run"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = (
            Run.objects.filter(party=party, steps__isnull=False, asset__isnull=True)
            .distinct()
            .order_by("-pk")
        )
        if not field.queryset.exists():
            del self.fields["run"]
            self.fields["origin"].required = True
        field.error_messages["invalid_choice"] = "This run is not one of yours."
        self.fields["creator_name"].initial = party.name

    def clean(self) -> dict[str, Any]:
        """An answer about the origin, or recorded steps in its place."""
        data = dict(super().clean() or {})
        if (
            not data.get("run")
            and not data.get("origin")
            and "origin" not in self.errors
        ):
            self.add_error("origin", "Choose what fits best, or recorded steps above.")
        return data

    def permissions(self) -> dict[str, str]:
        """The training permission in the terms of the credential."""
        return dict(TRAINING[self.cleaned_data["training"]][1])


class AgreementForm(forms.Form):
    """Who gets which part: sources at their ask or more, and the makers."""

    def __init__(self, *args: Any, asset: Asset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asset = asset
        self.fixed: list[Part] = []
        self.sources: list[tuple[str, Part]] = []
        self.makers: list[tuple[str, str]] = []
        creators: list[tuple[str, int | None]] = []
        for part in default_parts(asset):
            if part.role == AgreementPart.Role.PLATFORM:
                self.fixed.append(part)
            elif part.role == AgreementPart.Role.SOURCE:
                self._add_source(part)
            else:
                creators.append((part.holder.code, part.ppm))
        for at, (code, ppm) in enumerate([*creators, *[("", None)] * EXTRA_MAKERS]):
            self._add_maker(at, code, ppm)

    def _add_source(self, part: Part) -> None:
        assert part.source is not None
        name = f"source_{part.source.code}"
        asks = (
            "asks for nothing"
            if not part.ppm
            else f"asks for {percent_text(part.ppm)} %"
        )
        self.fields[name] = PercentField(
            label=f"{part.holder.name}, for {part.source}",
            initial=percent_text(part.ppm),
            help_text=f"Its owner {asks}; you may give more.",
            widget=_percent_input(),
        )
        self.sources.append((name, part))

    def _add_maker(self, at: int, code: str, ppm: int | None) -> None:
        holder, percent = f"maker_{at}", f"percent_{at}"
        own = bool(code)
        self.fields[holder] = forms.CharField(
            required=own,
            max_length=40,
            label=f"Maker {at + 1}",
            initial=code,
            widget=forms.HiddenInput() if own else forms.TextInput(),
            help_text="The holder id of who made it with you; it is in their studio.",
        )
        self.fields[percent] = PercentField(
            required=own,
            label=f"{self.asset.party.name}, maker" if own else "Their part",
            initial="" if ppm is None else percent_text(ppm),
            widget=_percent_input(),
        )
        self.makers.append((holder, percent))

    @property
    def shown(self) -> list[forms.BoundField]:
        """Sources and the party's own part, in order."""
        names = [name for name, _ in self.sources]
        return [self[name] for name in [*names, *self.makers[0]]]

    @property
    def others(self) -> list[list[forms.BoundField]]:
        """Pairs of holder and part for whoever made it too."""
        return [[self[holder], self[part]] for holder, part in self.makers[1:]]

    def clean(self) -> dict[str, Any]:
        """The parts as the agreement takes them; the sum must be exactly 100 %."""
        data = dict(super().clean() or {})
        if self.errors:
            return data
        values: list[dict[str, Any]] = [
            {"source": part.source.code, "ppm": data[name]}
            for name, part in self.sources
            if part.source is not None
        ]
        fields = [name for name, _ in self.sources]
        for holder, percent in self.makers:
            if data.get(holder) and data.get(percent) == 0:
                continue
            if data.get(holder) and data.get(percent) is not None:
                values.append({"holder": data[holder].strip(), "ppm": data[percent]})
                fields.append(holder)
            elif data.get(holder) or data.get(percent) is not None:
                self.add_error(holder, "Give both the holder id and the part.")
        if self.errors:
            return data
        try:
            data["parts"] = parse_parts(self.asset, values)
        except InputError as error:
            self.add_error(_field_of(error, fields), _sentence(error))
        return data


def _percent_input() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "data-percent": ""})


def _field_of(error: InputError, fields: list[str]) -> str | None:
    """The form field that an error of `parts/<n>` is about; None for the whole."""
    parts = error.field.split("/")
    if len(parts) > 1 and parts[1].isdigit() and int(parts[1]) < len(fields):
        return fields[int(parts[1])]
    return None


def _sentence(error: InputError) -> str:
    words = error.message
    return f"{'The parts ' if error.field == 'parts' else 'It '}{words}."
