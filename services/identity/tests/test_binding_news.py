"""Both sides of a binding are told of every change, in the application and by SMS (EA-04)."""

from typing import Any

import pytest
from sqlalchemy import select

from identity.messages.model import Delivery, Message

UNIT = "01890a5d-ac96-774b-bcce-b302099a8058"


def hear(world: Any, kind: str, **data: Any) -> None:
    world.hears(f"employer-auth.{kind}.v1", data, subject="binding-1")


def told(world: Any) -> list[tuple[str, str, str]]:
    """Whom, which template, in which words."""
    with world.app.database.reading() as db:
        return [(m.account_id, m.template, m.body) for m in db.scalars(select(Message))]


@pytest.mark.req("EA-04", "ID-48")
@pytest.mark.parametrize(
    "fact",
    ["invited", "declined", "cancelled", "expired", "bound", "unbound", "suspended", "resumed"],
)
def test_both_sides_are_told(world: Any, fact: str) -> None:
    person, agency = world.registers(), world.registers()  # an account is an account
    said = {"unit_id": UNIT, "unit_name": "广州示例科技有限公司", "person_id": person.id}
    hear(world, f"sub-account.{fact}", **said, via=agency.id, by="unit", version=2, reasons=[])
    found = told(world)
    assert {(who, template) for who, template, _ in found} == {
        (person.id, f"agent-{fact}-person"),
        (agency.id, f"agent-{fact}-unit"),
    }
    for who, _, words in found:
        assert ("广州示例科技有限公司" in words) or who == agency.id
        assert "{" not in words
    with world.app.database.reading() as db:
        news = select(Delivery).where(Delivery.template.startswith("agent-"))
        texts = [delivery.text.expose() for delivery in db.scalars(news)]
    assert len(texts) == 2
    assert all(text.startswith("【就业服务】") for text in texts)


@pytest.mark.req("EA-04", "EA-06")
@pytest.mark.parametrize("fact", ["granted", "withdrawn"])
def test_a_person_hears_what_they_may_do(world: Any, fact: str) -> None:
    person = world.registers()
    said = {"unit_id": UNIT, "unit_name": "广州示例科技有限公司", "person_id": person.id}
    hear(world, f"permission.{fact}", **said, via=None, title="招聘管理", version=3)
    ((who, template, words),) = told(world)
    assert (who, template) == (person.id, f"permission-{fact}-person")
    assert "招聘管理" in words


@pytest.mark.parametrize("fact", ["unmanaged", "restricted"])
def test_a_unit_hears_that_nobody_manages_it(world: Any, fact: str) -> None:
    unit = world.registers()
    hear(world, f"unit.{fact}", unit_id=unit.id, unit_name="广州示例科技有限公司", days=30)
    ((who, template, words),) = told(world)
    assert (who, template) == (unit.id, f"unit-{fact}")
    assert "单位管理" in words


@pytest.mark.req("EA-13")
def test_client_and_agency_hear_of_their_entrustment(world: Any) -> None:
    client, agency = world.registers(), world.registers()  # an account is an account
    names = {"unit_name": "广州示例科技有限公司", "agency_name": "广东示例人力资源有限公司"}
    ids = {"unit_id": client.id, "agency_id": agency.id}
    hear(world, "entrustment.changed", **ids, **names, state_label="待机构确认")
    found = told(world)
    assert {who for who, _, _ in found} == {client.id, agency.id}
    assert all("待机构确认" in words for _, _, words in found)
