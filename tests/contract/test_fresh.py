"""What is committed is what the code says, and the tool notices when it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


def test_the_contracts_are_fresh(contracts: Any, apps: Any, folder: Path) -> None:
    assert contracts.stale(folder, contracts.render(apps)) == [], "run `make contracts`"


def test_building_the_services_connects_to_nothing(apps: Any) -> None:
    assert {app.database.engine.pool.checkedin() for app in apps.values()} == {0}
    assert {app.database.url for app in apps.values()} == {
        "postgresql://nobody@127.0.0.1:1/nothing"
    }


def test_the_same_code_writes_the_same_files(contracts: Any, apps: Any) -> None:
    assert contracts.render(apps) == contracts.render(contracts.build_all())


@pytest.mark.parametrize("name", ["openapi/identity.json", "asyncapi.json"])
def test_a_changed_a_missing_and_a_left_over_file_are_found(
    contracts: Any, apps: Any, folder: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "contracts"
    shutil.copytree(folder, copy)
    files = contracts.render(apps)
    changed = json.loads((copy / name).read_text())
    changed["info"]["title"] = "other"
    (copy / name).write_text(json.dumps(changed))
    assert contracts.stale(copy, files) == [f"{name} is stale"]
    (copy / name).unlink()
    (copy / "events" / "identity" / "account.forgotten.v1.json").write_text("{}")
    assert contracts.stale(copy, files) == sorted(
        [f"{name} is missing", "events/identity/account.forgotten.v1.json is not written any more"]
    )
    contracts.write(copy, files)
    assert contracts.stale(copy, files) == []


def test_generated_files_say_so(folder: Path) -> None:
    for path in folder.rglob("*.json"):
        assert json.loads(path.read_text())["x-generated-by"] == "make contracts", path
    for path in folder.glob("workflows/*.md"):
        assert "x-generated-by: make contracts" in path.read_text().splitlines()[0]
