"""The guided raise through the gateway (ID-42): refused, raised, on again, and nothing is lost."""

import html
import json
import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from browser import Browser, expect
from fictional import GOOD_CARD, employment_of
from life import FILED, IDENTITY, Life
from under_test import Running

PAGE = "/employment/flexible-employment"
PARKED = f"{IDENTITY}/me/parked-requests"


def wanted(refusal: str) -> str:
    """The level that the challenge of RFC 9470 names."""
    assert 'error="insufficient_user_authentication"' in refusal
    return re.search(r'acr_values="([^"]+)"', refusal)[1]  # type: ignore[index]


def pays_by_card(life: Life, raise_page: str) -> str:
    """From the list of channels through the bank-card form; where that leads."""
    browser, person = life.citizen, life.person
    link = re.search(r'href="(/identity/raise/bank-card[^"]*)"', raise_page)
    assert link is not None
    page = browser.open(html.unescape(link[1]))
    form = next(each for each in page.forms() if "card_number" in each.fields)
    typed = {"card_number": GOOD_CARD, "phone": person.bank_phone}
    sent = browser.submit(replace(form, action=f"{form.action}/code"), **typed)
    expect("验证码已发送" in sent.text, "the code is on its way")
    code = life.wait_for("the SMS code", lambda: life.sms("验证码", person.bank_phone))
    number = re.search(r"\d{6}", code)
    assert number is not None
    return browser.submit(form, **typed, sms_code=number[0], consent="2026-01").url


@pytest.mark.slow
@pytest.mark.req("ID-42", "ID-06")
@pytest.mark.xdist_group("e2e-local")
def test_what_was_being_sent_goes_on_after_the_raise(on_local_bus: Running) -> None:
    life = on_local_bus.new_life()
    life.registers()
    life.logs_in()
    browser = life.citizen
    typed = {"kind": "registration", "employment": employment_of(life.person)}
    refused = browser.api("POST", FILED, typed, expect=401)
    acr = wanted(refused.headers["WWW-Authenticate"])
    wish = {"page": PAGE, "content": json.dumps(typed, ensure_ascii=False)}
    parked = browser.api("POST", PARKED, wish, expect=201).json
    offered = browser.open(f"{parked['raise_at']}&acr_values={quote(acr)}")
    assert "当前账号实名等级不足，请至少提升至二级实名后重试" in offered.text
    landed = pays_by_card(life, offered.text)
    assert landed == f"{life.gateway}{PAGE}?parked={parked['id']}"
    # The page would do this: fetch what was typed, send it again, and forget it.
    kept = browser.api("GET", f"{PARKED}/{parked['id']}", expect=200).json
    assert json.loads(kept["content"]) == typed
    filed = browser.api("POST", FILED, json.loads(kept["content"]), expect=201).json
    employment = {name: filed["employment"][name] for name in typed["employment"]}
    masked = {"contact_phone": employment["contact_phone"]}
    assert employment == typed["employment"] | masked
    browser.api("DELETE", f"{PARKED}/{parked['id']}", expect=204)
    browser.api("GET", f"{PARKED}/{parked['id']}", expect=404)
    assert Browser(life.gateway).api("GET", f"{PARKED}/{parked['id']}").status == 401
