"""What units can grant is what services declare, hear and ask for: one catalogue for the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from servicekit.businesses import Business

NOT_VERIFIED = 2  # of the province's scale: every unit has it
L2, L3 = 4, 5  # 四级, 五级


def declared(apps: Mapping[str, Any]) -> dict[str, Business]:
    """Every business of every service."""
    return {
        business.code: business
        for app in apps.values()
        for fact in app.service.facts
        for business in getattr(fact.schema, "declared", ())
    }


@pytest.mark.req("EA-06")
def test_employer_auth_hears_every_service_that_offers_a_business(apps: Mapping[str, Any]) -> None:
    told = {f.type for app in apps.values() for f in app.service.facts if "business" in f.type}
    heard = {s.event_type for s in apps["employer-auth"].service.subscriptions}
    assert told
    assert told - heard == set()


@pytest.mark.req("EA-01", "EA-06")
def test_a_route_asks_for_an_action_that_can_be_granted(apps: Mapping[str, Any]) -> None:
    offered = {f"{code}:{a}" for code, b in declared(apps).items() for a in b.actions}
    asked = {mark.grants: mark for app in apps.values() for mark in app.marks.values()}
    asked.pop(None, None)
    assert asked
    assert set(asked) - offered == set()


@pytest.mark.req("EA-01", "ID-25")
def test_a_route_asks_of_the_unit_what_its_business_says(apps: Mapping[str, Any]) -> None:
    known = declared(apps)
    for app in apps.values():
        for endpoint, mark in app.marks.items():
            business = known.get((mark.grants or "").partition(":")[0])
            if business is not None:
                least = business.unit_level if business.unit_level > NOT_VERIFIED else 0
                assert mark.unit_level in {least, business.unit_level}, endpoint
                assert business.unit_account or not mark.unit_account, endpoint


@pytest.mark.req("ID-25", "D3")
def test_each_platform_has_its_own_least_level(apps: Mapping[str, Any]) -> None:
    known = declared(apps)
    refund = known["stability-refund.confirmation"]
    assert (refund.unit_level, refund.unit_account) == (L2, True)
    jobs = [each for code, each in known.items() if code.startswith("recruitment.")]
    assert {(each.unit_level, each.unit_account) for each in jobs} == {(L3, False)}


@pytest.mark.req("EA-06")
def test_role_templates_name_businesses_and_actions_that_exist(apps: Mapping[str, Any]) -> None:
    from employer_auth.grants.rules import TEMPLATES

    known = declared(apps)
    for template in TEMPLATES:
        for code, actions in template.actions.items():
            assert set(actions) <= set(known[code].actions), (template.code, code)
