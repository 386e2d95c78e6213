"""Is a place one of our streets, where an office serves people?"""

from __future__ import annotations

from collections.abc import Iterator

from servicekit import regions
from servicekit.errors import FieldError


def street_faults(place: str | None, field: str) -> Iterator[FieldError]:
    """The field errors of a place that is not a street or town of Guangdong; none is no error."""
    if place is None:
        return
    found = regions.find(place)
    if found is None:
        yield FieldError(field, "unknown", "没有这个行政区划，请重新选择")
    elif found.level is not regions.Level.STREET:
        yield FieldError(field, "too-coarse", "请选择到街道（镇）")
