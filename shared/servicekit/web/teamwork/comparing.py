"""Old and new side by side (新旧对比): for a change and for a replacement, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from marshmallow import Schema, fields

EXAMPLE_DIFFERENCES: Final = [
    {"field": "/employment/address", "before": "体育西路2号", "after": "五山路1号", "changed": True}
]


class DifferenceSchema(Schema):
    """One field as it is in force and as it is asked for; personal values are masked."""

    field = fields.Str(required=True, metadata={"description": "JSON pointer (RFC 6901)."})
    before = fields.Raw(allow_none=True, required=True)
    after = fields.Raw(allow_none=True, required=True)
    changed = fields.Bool(required=True, metadata={"description": "Told from the clear values."})


class Comparison(fields.List[Any]):
    """What an application would change in what is in force; null where there is nothing to.

    Args:
        part: the JSON's name of the section that is compared.
        section: its schema, which writes both sides and masks them.
        in_force: gives the row in force, from the application; None where there is none.
    """

    def __init__(
        self, part: str, section: type[Schema], in_force: Callable[[Any], Any], **options: Any
    ) -> None:
        super().__init__(fields.Nested(DifferenceSchema), allow_none=True, required=True, **options)
        self._part, self._section, self._in_force = part, section, in_force

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Compare; two masks may look alike where the numbers behind them differ."""
        before = self._in_force(obj)
        if before is None or before is obj:
            return None
        section = self._section()
        old, new = section.dump(before), section.dump(obj)
        return [
            {
                "field": f"/{self._part}/{name}",
                "before": old.get(name),
                "after": new.get(name),
                "changed": getattr(before, source, None) != getattr(obj, source, None),
            }
            for name, source in _sources(section)
        ]


def _sources(section: Schema) -> list[tuple[str, str]]:
    """The names in the JSON and the attributes behind them."""
    return [(name, field.attribute or name) for name, field in section.dump_fields.items()]
