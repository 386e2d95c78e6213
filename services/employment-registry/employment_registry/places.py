"""Our province and its streets: who decides for all of it, and where an office serves people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from servicekit import regions
from servicekit.errors import FieldError, Forbidden

PROVINCE: Final = "44"


class ProvinceOnly(Forbidden):
    """Policies and guides are the same in the whole province."""

    code = "province-admin-required"
    default_message = "该操作由省级管理员办理"


def check_province(region: str | None) -> None:
    """Only the province's admins change what holds in the whole province.

    Raises:
        ProvinceOnly
    """
    if region != PROVINCE:
        raise ProvinceOnly


def street_faults(place: str | None, field: str) -> Iterator[FieldError]:
    """The field errors of a place that is not a street or town of Guangdong; none is no error."""
    if place is None:
        return
    found = regions.find(place)
    if found is None:
        yield FieldError(field, "unknown", "没有这个行政区划，请重新选择")
    elif found.level is not regions.Level.STREET:
        yield FieldError(field, "too-coarse", "请选择到街道（镇）")
