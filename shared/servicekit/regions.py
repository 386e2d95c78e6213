"""The regions of Guangdong, from the province to the street (行政区划).

The table is a file with its source and date, made by ``tools/make_regions.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

PROVINCE_DIGITS, CITY_DIGITS, COUNTY_DIGITS, STREET_DIGITS = 2, 4, 6, 9


class Level(StrEnum):
    """How far down a region is."""

    PROVINCE = "province"  # 省
    CITY = "city"  # 地级市
    COUNTY = "county"  # 县、区
    STREET = "street"  # 街道、镇、乡


_LEVELS = {
    PROVINCE_DIGITS: Level.PROVINCE,
    CITY_DIGITS: Level.CITY,
    COUNTY_DIGITS: Level.COUNTY,
    STREET_DIGITS: Level.STREET,
}
_PARENTS = {CITY_DIGITS: PROVINCE_DIGITS, COUNTY_DIGITS: CITY_DIGITS, STREET_DIGITS: COUNTY_DIGITS}


@dataclass(frozen=True, slots=True)
class Region:
    """One region; ``code`` has 2, 4, 6 or 9 digits, and every region's begins with its parent's."""

    code: str
    name: str

    @property
    def level(self) -> Level:
        """Told by the length of the code."""
        return _LEVELS[len(self.code)]

    @property
    def parent(self) -> str | None:
        """The code of the region around it."""
        digits = _PARENTS.get(len(self.code))
        return None if digits is None else self.code[:digits]


@dataclass(frozen=True, slots=True)
class Edition:
    """Where the table comes from and up to which day it holds."""

    source: str
    version: str
    date: str


def find(code: str) -> Region | None:
    """The region of a code; the six-digit forms of a city or the province are understood too."""
    table = _table()[1]
    if code in table:
        return table[code]
    if len(code) == COUNTY_DIGITS and code.endswith("00"):
        short = code[:PROVINCE_DIGITS] if code.endswith("0000") else code[:CITY_DIGITS]
        return table.get(short)
    return None


def full_name(code: str) -> str:
    """广东省广州市天河区… as it is written in an address.

    Raises:
        KeyError: there is no such region.
    """
    region = find(code)
    if region is None:
        raise KeyError(code)
    names = [region.name]
    while region.parent is not None:
        region = _table()[1][region.parent]
        if region.name != names[0]:  # 东莞市 and 中山市 are their own only county
            names.insert(0, region.name)
    return "".join(names)


def children(code: str) -> tuple[Region, ...]:
    """The regions right below, in the order of their codes; none below a street."""
    region = find(code)
    return () if region is None else _table()[2].get(region.code, ())


def edition() -> Edition:
    """What the table was made from."""
    return _table()[0]


@cache
def _table() -> tuple[Edition, dict[str, Region], dict[str, tuple[Region, ...]]]:
    file = resources.files("servicekit").joinpath("reference", "regions-44.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    table = {code: Region(code, name) for code, name in content["regions"].items()}
    below: dict[str, list[Region]] = {}
    for region in table.values():
        if region.parent is not None:
            below.setdefault(region.parent, []).append(region)
    made = Edition(content["source"], content["version"], content["date"])
    return made, table, {code: tuple(regions) for code, regions in below.items()}
