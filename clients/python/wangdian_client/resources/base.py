"""How a resource method is written once and is a plain method on the sync client, a coroutine on the async one."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import update_wrapper
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from wangdian_client.calls import Call, Listing, Script
from wangdian_client.runners import AsyncPages, AsyncRunner, Pages, SyncRunner

P = ParamSpec("P")
T = TypeVar("T")
X = TypeVar("X", bound=SyncRunner | AsyncRunner)


class Resource(Generic[X]):
    """A group of operations on one runner. `name` (`queue.tickets`) begins the `kind` of its calls."""

    name: ClassVar[str] = ""

    def __init__(self, runner: X) -> None:
        self._runner = runner

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._runner.http.base_url}>"


class operation(Generic[P, T]):  # noqa: N801 - used as a decorator
    """Turns a method that describes a call (or a script of calls) into one that executes it on the runner."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T] | Script[T]]) -> None:
        self._describe = describe
        update_wrapper(self, describe)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[SyncRunner], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[AsyncRunner], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        if resource is None:
            return self

        def execute(*args: P.args, **kwargs: P.kwargs) -> Any:
            described = self._describe(resource, *args, **kwargs)
            if isinstance(described, Call):
                described = replace(described, kind=_kind(resource, self._describe))
            return resource._runner.run(described)

        return update_wrapper(execute, self._describe)


class listing(Generic[P, T]):  # noqa: N801 - used as a decorator
    """Turns a method that describes a list into one that returns its items, for `for` or `async for`."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        self._describe = describe
        update_wrapper(self, describe)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[SyncRunner], owner: type) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(self, resource: Resource[AsyncRunner], owner: type) -> Callable[P, AsyncPages[T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        if resource is None:
            return self

        def execute(*args: P.args, **kwargs: P.kwargs) -> Any:
            described = replace(self._describe(resource, *args, **kwargs), kind=_kind(resource, self._describe))
            runner = resource._runner
            return Pages(runner, described) if isinstance(runner, SyncRunner) else AsyncPages(runner, described)

        return update_wrapper(execute, self._describe)


def _kind(resource: Resource[Any], describe: Callable[..., Any]) -> str:
    return f"{resource.name}.{describe.__name__}" if resource.name else describe.__name__
