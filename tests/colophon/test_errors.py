"""Errors: one base, and words that name the place."""

from __future__ import annotations

import pytest

from colophon import errors


def test_every_error_has_the_one_base() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    assert len(kinds) == 8
    assert all(issubclass(one, errors.ColophonError) for one in kinds)


def test_an_input_error_names_its_field_in_its_words() -> None:
    error = errors.InputError("is missing", "predicate/tool")
    assert str(error) == "predicate/tool: is missing"
    assert (error.message, error.field) == ("is missing", "predicate/tool")
    assert str(errors.InputError("is missing")) == "is missing"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.CredentialError("timeout"), "timeout"),
        (errors.CredentialError("timeout", "after 5 s"), "timeout: after 5 s"),
        (errors.CouldNotCheck("chain"), "chain"),
        (errors.CouldNotCheck("chain", "no answer"), "chain: no answer"),
    ],
)
def test_a_coded_error_starts_with_its_code(error: Exception, words: str) -> None:
    assert str(error) == words
