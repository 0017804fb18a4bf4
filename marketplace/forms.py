"""The shapes of the market's forms: offers of a work, and a checkout."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from colophon.errors import InputError
from colophon.units import format_units, parse_units
from marketplace.errors import OfferError
from marketplace.models import Offer
from marketplace.terms import OfferPlan, parse_offers
from provenance.license_terms import STANDARD

TERMS = [("365", "1 year"), ("1095", "3 years"), ("3650", "10 years")]
PERS = [("1", "use"), ("1000", "1,000 uses"), ("1000000", "1,000,000 uses")]
METERED = Offer.Use.PAY_PER_USE


class MoneyField(forms.CharField):
    """An amount in dollars as typed; cleans to the plain text that a price takes."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(
            max_length=20,
            widget=forms.TextInput(attrs=attributes),
            **options,
        )

    def validate(self, value: Any) -> None:
        """Whether an amount is needed depends on the license that is chosen."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value) or "").strip()
        text = text.removeprefix("$").replace(",", "")
        if not text:
            return ""
        try:
            parse_units(text)
        except InputError as error:
            raise ValidationError("Write an amount such as 12 or 0.60.") from error
        return text


class PerField(forms.ChoiceField):
    """What a rate is for; needed for metered licenses only."""

    def validate(self, value: Any) -> None:
        """One of the choices, or nothing."""
        if value:
            super().validate(value)


class OffersForm(forms.Form):
    """Which licenses a work is sold with, and for how much."""

    use_required_attribute = False

    editorial = forms.BooleanField(
        required=False, label=STANDARD["uses"]["editorial"]["name"]
    )
    editorial_price = MoneyField(label="Price in dollars")
    commercial = forms.BooleanField(
        required=False, label=STANDARD["uses"]["commercial"]["name"]
    )
    commercial_price = MoneyField(label="Price in dollars")
    metered = forms.BooleanField(
        required=False, label=STANDARD["uses"]["pay-per-use"]["name"]
    )
    metered_rate = MoneyField(label="Rate in dollars")
    metered_per = PerField(label="For each", choices=PERS, initial="1000")
    metered_deposit = MoneyField(
        label="Deposit in dollars",
        help_text="Paid by the buyer at once; uses are drawn from it.",
    )
    metered_price = MoneyField(
        label="Entry price in dollars",
        help_text="Optional, once, on top of the deposit.",
    )
    term_days = forms.ChoiceField(label="Licenses are valid for", choices=TERMS)

    def clean(self) -> dict[str, Any]:
        """The plans of the chosen offers, in the order of the form."""
        data = dict(super().clean() or {})
        if self.errors:
            return data
        chosen = [one for one in ("editorial", "commercial", "metered") if data[one]]
        if not chosen:
            raise ValidationError("Choose at least one license to sell.")
        try:
            data["plans"] = parse_offers([self._offer(one, data) for one in chosen])
        except OfferError as error:
            self._refuse(error, chosen)
        except InputError as error:
            self._refuse(error, chosen)
        return data

    def _offer(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        term = int(data["term_days"])
        price = data[f"{name}_price"]
        found: dict[str, Any] = {"use": name, "term_days": term}
        if price:
            found["price"] = price
        if name == "metered":
            found["use"] = METERED.value
            found["rate_per"] = int(data["metered_per"] or 1000)
            for key in ("rate", "deposit"):
                if data[f"metered_{key}"]:
                    found[key] = data[f"metered_{key}"]
        return found

    def _refuse(self, error: InputError, chosen: list[str]) -> None:
        """Put an error of `offers/<n>/<key>` to its field."""
        parts = error.field.split("/")
        field = None
        if len(parts) > 2 and parts[1].isdigit():  # noqa: PLR2004 - offers, n, key
            field = f"{chosen[int(parts[1])]}_{parts[2]}"
        known = field if field in self.fields else None
        self.add_error(known, f"It {error.message}." if known else f"{error}.")

    @property
    def plans(self) -> list[OfferPlan]:
        """What a valid form asks to publish."""
        plans: list[OfferPlan] = self.cleaned_data["plans"]
        return plans


def initial_offers(offers: list[Offer]) -> dict[str, Any]:
    """The form's values for the offers that a work has now; usual ones without any."""
    if not offers:
        return {"commercial": True, "commercial_price": "40", "term_days": "365"}
    found: dict[str, Any] = {"term_days": str(offers[0].term_days)}
    for offer in offers:
        name = "metered" if offer.use == METERED else offer.use
        found[name] = True
        if offer.price_units:
            found[f"{name}_price"] = format_units(offer.price_units)
        if name == "metered":
            found["metered_rate"] = format_units(offer.rate_units)
            found["metered_deposit"] = format_units(offer.deposit_units)
            found["metered_per"] = str(offer.rate_per)
    return found
