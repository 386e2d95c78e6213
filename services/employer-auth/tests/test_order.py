"""个人注册 → 单位注册 → 绑定 → 授权 → 办理: whoever skips a step is told which (PRT-09)."""

from __future__ import annotations

from typing import Any

import pytest

JOBS = "recruitment.jobs"


@pytest.mark.req("PRT-09", "PRT-11", "EA-01", "EA-06")
def test_the_steps_in_their_order_and_what_is_said_when_one_is_missing(desk: Any) -> None:
    desk.offers(JOBS)
    wang = desk.person(level=1)
    unit = desk.unit()
    not_yet = unit.refused(unit.asks_for(wang), 409, "person-not-verified")
    assert "实名认证" in not_yet["detail"]  # 个人: real name first
    lin = desk.person()
    asked = {"unit_id": unit.id, "binding_id": "01890a5d-ac96-774b-bcce-b302099a8057"}
    lin.refused(lin.post("mandates", asked), 404, "binding-not-found")  # 绑定 is missing
    invited = unit.invites(lin)
    waits = lin.refused(lin.mandate(invited), 409, "binding-not-active")
    assert "父账号信息" in waits["detail"]  # the person's own consent is missing
    binding = lin.accepts(invited)
    assert lin.units()[0]["permissions"] == []  # 授权 is missing
    agent = desk.agent(unit, lin)
    ungranted = agent.refused(agent.get("deeds"), 403, "not-granted")
    assert "授权" in ungranted["detail"]
    unit.grants(binding, JOBS, "view", "submit")
    claims = desk.claims(lin.done(lin.mandate(binding), 201)["mandate"])
    assert claims["permissions"] == [f"{JOBS}:submit", f"{JOBS}:view"]


@pytest.mark.req("EA-01")
def test_the_catalogue_says_what_the_unit_account_may_do_itself(desk: Any) -> None:
    refund = "stability-refund.confirmation"
    desk.offers(refund, unit_level=4, unit_account=True)
    desk.offers(JOBS, unit_level=5)
    found = {b["code"]: b for b in desk.visitor().get("businesses").json["items"]}
    assert (found[refund]["unit_account"], found[refund]["unit_level"]) == (True, 4)
    assert (found[JOBS]["unit_account"], found[JOBS]["unit_level"]) == (False, 5)
