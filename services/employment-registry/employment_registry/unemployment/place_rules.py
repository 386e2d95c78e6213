"""May a person choose another office to serve them (变更服务地)?"""

from __future__ import annotations

from datetime import date, timedelta

from employment_registry.places import street_faults
from employment_registry.unemployment import rules
from servicekit import messages
from servicekit.errors import Conflict, Invalid


class NotUnemployed(Conflict):
    """UNE-06: only a person who is registered as unemployed changes the office that serves."""

    code = "not-unemployed"
    default_message = messages.ONLY_UNEMPLOYED_CHANGE_PLACE.text


class TooSoon(Conflict):
    """UNE-08: once in thirty days, or what the policy says."""

    code = "service-place-changed-recently"
    default_message = messages.ONLY_UNEMPLOYED_CHANGE_PLACE.text


class SamePlace(Invalid):
    """Nothing would change."""

    code = "service-place-unchanged"
    default_message = "新的服务地与当前服务地相同，请重新选择。"


def check_service_place_change(
    before: str, after: str, changed_on: date | None, today: date, *, pause: timedelta
) -> None:
    """变更服务地: another place of ours, and so many Shanghai days after the last change.

    Args:
        pause: how long an office serves before another may be chosen.

    Raises:
        SamePlace, Incomplete, TooSoon
    """
    if faults := list(street_faults(after, "/service_place")):
        raise rules.Incomplete(fields=faults)
    if after == before:
        raise SamePlace
    check_pause(changed_on, today, pause)


def check_pause(changed_on: date | None, today: date, pause: timedelta) -> None:
    """An office serves for a while before another one may be chosen.

    Raises:
        TooSoon: with ``next_date``, the first day it is possible.
    """
    again = next_change(changed_on, pause)
    if again is not None and today < again:
        raise TooSoon(
            f"{place_rule(pause)}您可自{again.year}年{again.month}月{again.day}日起再次变更。",
            extra={"next_date": again.isoformat()},
        )


def check_unemployed(is_unemployed: bool, pause: timedelta) -> None:
    """Only who is registered as unemployed chooses the office that serves (UNE-06).

    Raises:
        NotUnemployed
    """
    if not is_unemployed:
        raise NotUnemployed(place_rule(pause))


def place_rule(pause: timedelta) -> str:
    """UNE-06, UNE-08: the manual's sentence, with the pause in force."""
    return messages.ONLY_UNEMPLOYED_CHANGE_PLACE.text.replace("30天", f"{pause.days}天")


def next_change(changed_on: date | None, pause: timedelta) -> date | None:
    """The first day the office may be changed again; None when it may be at any time."""
    return None if changed_on is None else changed_on + pause
