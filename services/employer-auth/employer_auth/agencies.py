"""The social-insurance agencies, by region: who reviews, and whom to telephone (PRT-08).

The table is a file with its source and date. An installation's own replaces it by the same form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Agency:
    """所属社保经办机构: the one that serves a region."""

    region: str
    name: str
    phone: str

    @property
    def sentence(self) -> str:
        """For people: whom to call."""
        return f"{self.name}，电话 {self.phone}"


def agency_of(region: str) -> Agency:
    """The agency nearest to a region: its own, or that of the region around it."""
    table = _table()
    for digits in range(len(region), 0, -1):
        if found := table.get(region[:digits]):
            return found
    return table[min(table, key=len)]  # the province's, for a region it does not know


@cache
def _table() -> dict[str, Agency]:
    file = resources.files("employer_auth").joinpath("reference", "agencies-44.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    return {
        region: Agency(region, said["name"], said["phone"])
        for region, said in content["agencies"].items()
    }
