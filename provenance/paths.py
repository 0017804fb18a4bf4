"""The path converter of public ids: what is no id never reaches the database."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter


class CodeConverter(StringConverter):
    """An id such as `ast_` and 32 hex digits; anything else is no page."""

    regex = "[a-z]{3,8}_[0-9a-f]{32}"


register_converter(CodeConverter, "code")
