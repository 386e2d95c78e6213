"""Who acted for us, when, in what: told by the services' own events (EA-11)."""

from __future__ import annotations

from typing import Any

import pytest

from servicekit.db import new_id

JOBS = "recruitment.jobs"


def moves(desk: Any, unit: Any, person: Any, *, business: str = JOBS, **more: Any) -> None:
    told = {
        "applicant_id": unit.id,
        "number": "440106-11-20261121-000001-2",
        "business": business,
        "region": "440106",
        "move": "submit",
        "before": "draft",
        "after": "submitted",
        "acted_by": person.id,
    } | more
    desk.hears(f"{business}.submitted.v1", new_id(), stream="application", **told)


@pytest.mark.req("EA-11")
def test_a_unit_sees_who_acted_for_it(desk: Any) -> None:
    unit, other, lin, wang = desk.unit(), desk.unit(), desk.person(), desk.person()
    moves(desk, unit, lin)
    desk.clock.advance(days=1)
    moves(desk, unit, wang, business="stability-refund.confirmation", acted_via="agency-1")
    moves(desk, other, lin)
    seen = unit.done(unit.get("deeds"))
    assert [(d["person_id"], d["business"], d["via"]) for d in seen["items"]] == [
        (wang.id, "stability-refund.confirmation", "agency-1"),
        (lin.id, JOBS, None),
    ]
    assert seen["items"][1]["number"] == "440106-11-20261121-000001-2"

    def found(**filters: str) -> list[str]:
        return [d["person_id"] for d in unit.done(unit.get("deeds", **filters))["items"]]

    assert found(person_id=lin.id) == [lin.id]
    assert found(business="stability-refund.confirmation") == [wang.id]
    assert found(done_to="2026-11-21") == [lin.id]
    assert found(done_from="2026-11-22") == [wang.id]
    assert unit.get("deeds", done_from="2026-11-22", done_to="2026-11-21").status_code == 422


@pytest.mark.req("EA-11")
def test_what_people_and_officers_do_is_no_deed(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    moves(desk, unit, lin)
    desk.hears(
        f"{JOBS}.approved.v1",
        new_id(),
        stream="application",
        applicant_id=unit.id,
        number=None,
        business=JOBS,
        region="440106",
        move="approve",
        before="submitted",
        after="approved",
    )
    assert unit.done(unit.get("deeds"))["total"] == 1


def test_deeds_are_the_units_own_and_its_managers(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    moves(desk, unit, lin)
    agent = desk.agent(unit, lin, f"{JOBS}:submit")
    agent.refused(agent.get("deeds"), 403, "not-granted")
    manager = desk.agent(unit, lin, "employer-auth.unit:manage")
    assert manager.done(manager.get("deeds"))["total"] == 1
    assert desk.person().get("deeds").status_code == 403
