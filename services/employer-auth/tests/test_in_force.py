"""A changed binding ends its tokens here at once, and is told to everybody (ID-43, EA-13)."""

from __future__ import annotations

from typing import Any

import pytest

MANAGE = "employer-auth.unit:manage"


@pytest.mark.req("ID-43", "EA-05", "EA-13")
@pytest.mark.parametrize("change", ["release", "leave", "withdraw", "grant", "lock", "validity"])
def test_a_token_from_before_is_worth_nothing_here_at_once(desk: Any, change: str) -> None:
    unit, lin, binding = desk.bound()
    unit.grants(binding, "employer-auth.unit", "manage")
    agent = desk.agent(unit, lin, MANAGE, fixed=True)
    assert agent.get("sub-accounts").status_code == 200
    if change == "release":
        unit.tries_to("release", binding)
    elif change == "leave":
        lin.tries_to("leave", binding)
    elif change == "withdraw":
        unit.withdraws(binding, "employer-auth.unit")
    elif change == "grant":
        unit.grants(binding, "employer-auth.unit", "manage", "view")
    elif change == "lock":
        desk.account("locked", lin.id)
    else:
        path = f"sub-accounts/{binding['id']}"
        unit.done(unit.patch(path, {"valid_until": "2027-01-01"}, version="*"))
    agent.refused(agent.get("sub-accounts"), 401, "invalid-token")


@pytest.mark.req("ID-43")
@pytest.mark.parametrize("name", ["binding", "acting", "sub"])
def test_a_token_that_names_another_binding_person_or_unit_is_refused(desk: Any, name: str) -> None:
    unit, lin, binding = desk.bound()
    unit.grants(binding, "employer-auth.unit", "manage")
    agent = desk.agent(unit, lin, MANAGE, fixed=True)
    other, wang, theirs = desk.bound()
    agent.claims[name] = {"binding": theirs["id"], "acting": wang.id, "sub": other.id}[name]
    agent.refused(agent.get("sub-accounts"), 401, "invalid-token")
