"""A human-resources agency: a unit that a person registers in three steps, as the manuals say."""

import base64
import json
import random
import re
from datetime import date
from typing import Any

from browser import Browser, expect
from fictional import invent, resident_number
from life import IDENTITY, Life
from signing_in import log_in
from stdnum.cn import uscc

NAME = "广东示例人力资源有限公司"
_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714, of the organisation code inside


def registers(life: Life) -> tuple[Browser, str]:
    """单位注册 by a verified person.

    Returns: the unit's own browser, logged in, and its USCC.
    """
    browser, person = life.citizen, life.person
    asked = {"login_name": person.login_name, "document_number": person.document_number}
    begun = browser.api("POST", f"{IDENTITY}/unit-registrations", asked, expect=201).json
    path, ticket = f"{IDENTITY}/unit-registrations/{begun['id']}", {"ticket": begun["ticket"]}
    browser.api("POST", f"{path}/sms-code", ticket, expect=202)
    text = life.wait_for("the SMS code", lambda: life.sms("注册单位账号"))
    code = re.search(r"\d{6}", text)
    expect(code is not None, "the SMS holds a code")
    form = _form(browser) | ticket | {"sms_code": code[0] if code else ""}
    browser.api("POST", f"{path}/unit", form, expect=201)
    unit = Browser(life.gateway)
    log_in(unit, form["login_name"], form["password"])
    return unit, str(form["certificate_number"])


def _form(browser: Browser) -> dict[str, Any]:
    legal = invent()
    agreements = browser.api("GET", f"{IDENTITY}/agreements", expect=200).json["items"]
    return {
        "certificate_type": "uscc",
        "certificate_number": _code(),
        "name": NAME,
        "region": "440106",
        "address": "天河区示例路 1 号",
        "legal_name": legal.name,
        "legal_document_type": "resident-card",
        "legal_document_number": resident_number(date(1980, 1, 1), random.randrange(1, 999)),
        "legal_phone": legal.phone,
        "login_name": legal.login_name,
        "password": legal.password,
        "password_again": legal.password,
        "agreements": [{"name": a["name"], "version": a["version"]} for a in agreements],
    }


def _code() -> str:
    """A credit code of nobody's, right in both of its check digits."""
    digits = f"{random.randrange(10**8):08d}"
    total = sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True))
    body = f"91440106{digits}" + "0123456789X0"[11 - total % 11]
    return body + str(uscc.calc_check_digit(body))


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unchecked."""
    part = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return said
