"""Packages that other exercises of a notebook may use: here they can be imported, so that the cell goes on, not used."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Absent(ModuleType):
    """A module, or what was imported from one, that is not there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # which Python itself asks for
            raise AttributeError(name)
        raise AttributeError(_sentence(self.__name__))

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise ImportError(_sentence(self.__name__))

    __mro_entries__ = __call__


def _sentence(name: str) -> str:
    return f"`{name.partition('.')[0]}` cannot be used here: this part of the notebook is graded without it"


class _Pretence(MetaPathFinder, Loader):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] in self._names:
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def pretend(names: Iterable[str]) -> None:
    """Have these packages imported without an error where they are not there."""
    sys.meta_path.append(_Pretence(frozenset(names)))
