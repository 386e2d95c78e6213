"""The manifests as documents, and copies of them to break."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "k8s"
Documents = list[dict[str, Any]]


def read_rooms(folder: Path) -> dict[str, Documents]:
    """The documents of each folder, in the order of its kustomization."""
    rooms = {}
    for place in sorted(folder.glob("*/kustomization.yaml")):
        files = yaml.safe_load(place.read_text("utf-8"))["resources"]
        texts = [(place.parent / file).read_text("utf-8") for file in files]
        rooms[place.parent.name] = [d for text in texts for d in yaml.safe_load_all(text)]
    return rooms


@pytest.fixture(scope="session")
def rooms() -> dict[str, Documents]:
    """Every folder of deploy/k8s."""
    return read_rooms(FOLDER)


@pytest.fixture
def room(rooms: dict[str, Documents]) -> Documents:
    """A copy of one service's documents, to break."""
    return copy.deepcopy(rooms["recruitment"])
