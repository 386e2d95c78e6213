"""The contracts as the code says them now, and as they are committed."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> ModuleType:
    """A script of `tools/` as a module."""
    spec = importlib.util.spec_from_file_location(f"{name}_tool", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def contracts() -> ModuleType:
    """`tools/contracts.py`."""
    return tool("contracts")


@pytest.fixture(scope="session")
def compatibility() -> ModuleType:
    """`tools/compatibility.py`."""
    return tool("compatibility")


@pytest.fixture(scope="session")
def apps(contracts: ModuleType) -> Iterator[Mapping[str, Any]]:
    """Every service, built without a database."""
    built = contracts.build_all()
    yield built
    for app in built.values():
        app.database.close()


@pytest.fixture(scope="session")
def committed() -> Callable[[str], dict[str, Any]]:
    """Reads one file of `contracts/`."""

    def read(path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((ROOT / "contracts" / path).read_text("utf-8"))
        return found

    return read


@pytest.fixture(scope="session")
def folder() -> Path:
    """`contracts/`."""
    return ROOT / "contracts"
