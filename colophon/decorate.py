"""Turn a function that makes files into a recorded step.

Plain functions, coroutine functions, and generators of both kinds.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from colophon.drafts import Draft

P = ParamSpec("P")
R = TypeVar("R")
Begin = Callable[..., AbstractContextManager[Draft]]


def as_step(
    begin: Begin, action: str, options: dict[str, Any]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that records each call of a function as one step.

    Args:
        begin: opens a step: `Recording.step`.
        action: a C2PA action.
        options: further arguments of `begin`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        def step() -> AbstractContextManager[Draft]:
            return begin(action, **({"tool": function.__name__} | options))

        wrapper = _wrapper_of(function)(function, step)
        return cast("Callable[P, R]", functools.wraps(function)(wrapper))

    return decorate


def _wrapper_of(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    if inspect.isasyncgenfunction(function):
        return _async_generator
    if inspect.isgeneratorfunction(function):
        return _generator
    if inspect.iscoroutinefunction(function):
        return _coroutine
    return _plain


def _plain(function: Callable[..., Any], step: Callable[[], Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with step() as draft:
            result = function(*args, **kwargs)
            _keep(draft, result)
        return result

    return call


def _coroutine(
    function: Callable[..., Any], step: Callable[[], Any]
) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with step() as draft:
            result = await function(*args, **kwargs)
            _keep(draft, result)
        return result

    return call


def _generator(
    function: Callable[..., Any], step: Callable[[], Any]
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with step() as draft:
            for result in function(*args, **kwargs):
                _keep(draft, result)
                yield result

    return call


def _async_generator(
    function: Callable[..., Any], step: Callable[[], Any]
) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with step() as draft:
            async for result in function(*args, **kwargs):
                _keep(draft, result)
                yield result

    return call


def _keep(draft: Draft, result: object) -> None:
    """A path or some bytes are what the step made."""
    if isinstance(result, (str, bytes, Path)):
        draft.output(result)
