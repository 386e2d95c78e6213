"""What the server-rendered forms share: what was typed, and what is wrong, in the page's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flask import request

from identity.sign_in import browser
from servicekit.errors import FieldError

_LONGEST_FIELD: Final = 200
# Never sent back to the browser and never kept; the person types them again.
SECRET: Final = frozenset({"password", "password_again", "sms_code", "form_token", "return_to"})


def typed() -> dict[str, str]:
    """The form as it came, no field longer than any of ours may be."""
    return {name: value[:_LONGEST_FIELD] for name, value in request.form.items()}


def shown(values: Mapping[str, str]) -> dict[str, str]:
    """What stands in the form when it is shown again."""
    return {name: value for name, value in values.items() if name not in SECRET}


def stale(field: str) -> list[FieldError]:
    """The page was too old, or not ours."""
    return [FieldError(f"/{field}", "form-stale", browser.STALE_FORM)]


def faults(wrong: Iterable[FieldError], order: Sequence[str]) -> dict[str, Any]:
    """What the template needs to say what is wrong: a summary with links, and a text per field.

    Args:
        order: the fields from top to bottom, so that the summary reads like the page.
    """
    sorted_ = sorted(wrong, key=lambda each: order.index(_id(each.field)))
    told_at: dict[str, list[str]] = {}
    for each in sorted_:
        told_at.setdefault(_id(each.field), []).append(each.message)
    return {
        "error": bool(sorted_),
        "errors": [(each.message, "#" + _id(each.field)) for each in sorted_],
        "wrong": {name: "；".join(messages) for name, messages in told_at.items()},
    }


def _id(pointer: str) -> str:
    return "agreed" if pointer == "/agreements" else pointer.removeprefix("/")
