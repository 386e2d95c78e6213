"""The life: one person from registration to 注销, through the gateway, as the manual tells it.

Each act is a method; `ACTS` is their order. `make demo` prints them, tests/e2e asserts after them.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from browser import Answer, Browser, UnexpectedError, expect
from fictional import GOOD_CARD, Fictional, employment_of, invent
from signing_in import log_in
from subscriber import OtherSystem

T = TypeVar("T")
IDENTITY = "/api/identity/v1"
REGISTRY = "/api/employment-registry/v1"
FILED = f"{REGISTRY}/flexible-employment-registrations"
REVIEWS = f"{REGISTRY}/flexible-employment-reviews"
PATIENCE = 20.0
POLL = 0.1
OFFICER = "reviewer_tianhe"
RETURN_REASON = "请把从事职业写得更具体。"


@dataclass
class Life:
    """One life against one suite; what the acts learn stands here."""

    gateway: str
    simulators: str
    officers: dict[str, Any]
    other_system: OtherSystem | None = None
    on_step: Callable[[str, str, Any, Answer], None] | None = None
    colleague: Browser | None = None
    person: Fictional = field(default_factory=invent)
    account_id: str = ""
    application: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the two browsers; the officer's may be one that is open already."""
        self.citizen = Browser(self.gateway, self.on_step)
        self.officer = self.colleague or Browser(self.gateway, self.on_step)

    @classmethod
    def of_running_suite(cls, state: Path, **more: Any) -> "Life":
        """The suite that `make run` runs on this folder.

        Raises: FileNotFoundError when none runs.
        """
        facts = json.loads((state / "run.json").read_text())
        officers = json.loads(Path(facts["demo_file"]).read_text())["officers"]
        return cls(facts["gateway"], facts["simulators"], officers, **more)

    def registers(self) -> None:
        """A visitor registers: agreements, SMS code, the form."""
        form = self.registration(self.sms_code(self.citizen, self.person.phone, "registration"))
        answer = self.citizen.api("POST", f"{IDENTITY}/registrations", form, expect=201)
        self.account_id = answer.json["id"]
        expect(answer.json["level"] == 1, "a new account has level 1")

    def registration(self, code: str) -> dict[str, Any]:
        """The registration form, filled in."""
        agreements = self.citizen.api("GET", f"{IDENTITY}/agreements", expect=200).json["items"]
        person = self.person
        return {
            "name": person.name,
            "document_type": "resident-card",
            "document_number": person.document_number,
            "login_name": person.login_name,
            "password": person.password,
            "password_again": person.password,
            "phone": person.phone,
            "sms_code": code,
            "agreements": [{"name": a["name"], "version": a["version"]} for a in agreements],
        }

    def logs_in(self) -> None:
        """Log in at the gateway through the OpenID provider, in the browser flow."""
        session = log_in(self.citizen, self.person.login_name, self.person.password)
        expect(session["level"].endswith(":1"), "the session has level 1")
        me = self.citizen.api("GET", f"{IDENTITY}/me", expect=200).json
        expect(me["id"] == self.account_id, "it is the account that registered")

    def is_refused_below_level_2(self) -> None:
        """Level 1 is not enough: the API asks for more (RFC 9470)."""
        answer = self.citizen.api("POST", FILED, {"kind": "registration"}, expect=401)
        challenge = answer.headers.get("WWW-Authenticate", "")
        expect("insufficient_user_authentication" in challenge, "the challenge names the level")

    def rises_to_level_2(self) -> None:
        """Prove who it is by a bank card, with a code to the bank's phone."""
        code = self.sms_code(self.citizen, self.person.bank_phone, "bank-card-check")
        card = {
            "card_number": GOOD_CARD,
            "phone": self.person.bank_phone,
            "sms_code": code,
            "consent": "2026-01",
        }
        self.citizen.api("POST", f"{IDENTITY}/me/bank-card-checks", card, expect=201)
        evidence = self.citizen.api("GET", f"{IDENTITY}/me/evidence", expect=200).json
        expect(evidence["level"] == 2, "the level is 二级")
        session = log_in(self.citizen, self.person.login_name, self.person.password)
        expect(session["level"].endswith(":2"), "the session has level 2")

    def saves_a_draft(self) -> None:
        """新增 and 保存: a draft, then one more field."""
        employment = employment_of(self.person)
        employment.pop("monthly_income")
        body = {"kind": "registration", "employment": employment}
        draft = self.citizen.api("POST", FILED, body, expect=201)
        self.application = draft.json
        expect(draft.json["state"] == "draft", "it is a draft")
        edit = {"employment": {"monthly_income": "5200.00"}}
        self.application = self._edit(edit)

    def submits(self) -> None:
        """提交: it gets its number, is checked with other authorities and goes to review."""
        path = f"{FILED}/{self._move(self.citizen, FILED, 'submit')['id']}"
        self.application = self.wait_for("the registers' answer", lambda: self._checked(path))
        expect(self.application["state"] == "submitted", "it is submitted")
        expect(bool(self.application["number"]), "it has a number")

    def _checked(self, path: str) -> dict[str, Any] | None:
        seen = dict(self.citizen.api("GET", path, expect=200).json)
        return None if seen["state"] == "checking" else seen

    def officer_logs_in(self) -> None:
        """The officer of the region logs in with a second factor."""
        session = self.log_in_officer(self.officer, OFFICER)
        expect(session["kind"] == "officer", "it is an officer")

    def log_in_officer(self, browser: Browser, name: str) -> dict[str, Any]:
        """Log in one of the demo officers."""
        known = self.officers[name]
        return log_in(browser, known["login_name"], known["password"], known["totp_secret"])

    def officer_finds_it(self) -> None:
        """It stands in the queue of the officer's region; the person's data are masked."""
        found = self.in_queue(self.officer)
        expect(found is not None, "the application is in the officer's queue")
        seen = json.dumps(found, ensure_ascii=False)
        expect(self.person.document_number not in seen, "the number is masked in the queue")

    def in_queue(self, browser: Browser) -> dict[str, Any] | None:
        """The application as it stands in an officer's queue, page by page."""
        cursor = ""
        while True:
            path = f"{REVIEWS}?state=submitted&limit=100{cursor}"
            page = browser.api("GET", path, expect=200).json
            for row in page["items"]:
                if row["id"] == self.application["id"]:
                    return dict(row)
            if not page["next_cursor"]:
                return None
            cursor = f"&cursor={quote(page['next_cursor'])}"

    def officer_returns_it(self) -> None:
        """退回补正, with a reason and the field to correct."""
        self._move(self.officer, REVIEWS, "claim")
        body = {"reason": RETURN_REASON, "fields_to_correct": ["/employment/occupation"]}
        seen = self._move(self.officer, REVIEWS, "return", body)
        expect(seen["state"] == "returned", "it is returned")

    def sees_the_message(self) -> None:
        """The person is told, in the application and by SMS, and sees the reason."""
        self.told("申请需要补正")
        seen = self.citizen.api("GET", f"{FILED}/{self.application['id']}", expect=200).json
        expect(seen["decision_reason"] == RETURN_REASON, "the reason is shown to the person")
        self.application = seen

    def corrects_and_submits_again(self) -> None:
        """Correct the field and submit again."""
        self.application = self._edit({"employment": {"occupation": "网约配送员（同城骑手）"}})
        self.submits()

    def officer_approves(self) -> None:
        """审核通过."""
        expect(self.in_queue(self.officer) is not None, "it is in the queue again")
        self._move(self.officer, REVIEWS, "claim")
        seen = self._move(self.officer, REVIEWS, "approve")
        expect(seen["state"] == "approved", "it is approved")

    def is_told_of_approval(self) -> None:
        """The person gets the message and the SMS."""
        self.told("申请审核通过")
        sms = self.wait_for("the SMS of the approval", lambda: self.sms("审核通过"))
        expect(self.person.document_number not in sms, "the SMS holds no document number")

    def other_system_hears(self) -> None:
        """Another government system heard it on the bus."""
        if self.other_system is None:
            return
        event = self.other_system.wait_for(".approved.", self.application["id"])
        told = json.dumps(event.data, ensure_ascii=False)
        expect(not [w for w in self.person.personal if w in told], "the event holds no person")

    def cancels(self) -> None:
        """注销: it becomes 无效, and the record ends."""
        body = {"reason": "不再灵活就业"}
        seen = self._move(self.citizen, FILED, "cancel", body)
        expect(seen["state"] == "cancelled", "it is cancelled")
        expect(seen["state_label"] == "无效", "it reads 无效")
        self.application = seen
        self.told("登记已注销")

    def shows_the_certificate(self) -> None:
        """就业创业证: it came with the approval; a passer-by verifies it and learns little."""
        path = f"{REGISTRY}/certificates/current"
        shown = self.citizen.api("GET", path, expect=200).json
        page = Browser(self.gateway, self.on_step).open(f"/certificates/{shown['code']}")
        expect("有效" in page.text, "the certificate is good")
        told = [word for word in self.person.personal if word in page.text]
        expect(not told, "the page tells no more than is needed")

    def logs_out(self) -> None:
        """退出: the gateway's session and the provider's end."""
        page = self.citizen.open("/sso/logout")
        self.citizen.submit(page.forms()[0])
        session = self.citizen.api("GET", "/sso/session", expect=200).json
        expect(not session["logged_in"], "nobody is logged in any more")
        self.citizen.api("GET", f"{IDENTITY}/me", expect=401)

    def sms_code(self, browser: Browser, phone: str, purpose: str) -> str:
        """Ask for a code and read it off the phone, which is the simulator's inbox."""
        body = {"phone": phone, "purpose": purpose}
        browser.api("POST", f"{IDENTITY}/sms-codes", body, expect=202)
        text = self.wait_for("the SMS code", lambda: self.sms("验证码", phone))
        found = re.search(r"\d{6}", text)
        if found is None:
            raise UnexpectedError("the SMS holds no code of six digits")
        return found[0]

    def told(self, title: str) -> dict[str, Any]:
        """Wait for an in-app message."""

        def find() -> dict[str, Any] | None:
            items = self.citizen.api("GET", f"{IDENTITY}/me/messages", expect=200).json["items"]
            return next((m for m in items if m["title"] == title), None)

        return self.wait_for(f"the message {title}", find)

    def wait_for(self, what: str, ask: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """Ask until there is an answer.

        Raises: UnexpectedError when there is none in time.
        """
        deadline = time.monotonic() + patience
        while (answer := ask()) is None:
            if time.monotonic() > deadline:
                raise UnexpectedError(f"{what} did not come in {patience:.0f} s")
            time.sleep(POLL)
        return answer

    def sms(self, part: str, phone: str = "") -> str | None:
        """The newest SMS on a phone, the person's own when none is named, that says this."""
        url = f"{self.simulators}/sms/messages"
        got = requests.get(url, params={"to": phone or self.person.phone}, timeout=10)
        text = next((m["text"] for m in got.json()["items"] if part in m["text"]), None)
        if text is not None and self.on_step is not None:
            shown = {"text": re.sub(r"验证码\d{6}", "验证码******", text)}
            self.on_step("GET", url, None, Answer(url, got.status_code, got.headers, "", shown))
        return text

    def _edit(self, body: dict[str, Any]) -> dict[str, Any]:
        path = f"{FILED}/{self.application['id']}"
        seen = {"If-Match": self.citizen.api("GET", path, expect=200).headers["ETag"]}
        return dict(self.citizen.api("PATCH", path, body, expect=200, headers=seen).json)

    def _move(self, browser: Browser, where: str, move: str, body: Any = None) -> dict[str, Any]:
        path = f"{where}/{self.application['id']}/{move}"
        return dict(browser.api("POST", path, body or {}, expect=200).json)


# What happens, who does it, and the method.
ACTS: tuple[tuple[str, Callable[[Life], None]], ...] = (
    ("游客注册个人账号", Life.registers),
    ("通过统一身份认证登录", Life.logs_in),
    ("一级账号办理业务被要求提升实名等级", Life.is_refused_below_level_2),
    ("银行卡核验,提升为二级", Life.rises_to_level_2),
    ("填写灵活就业登记并保存", Life.saves_a_draft),
    ("提交申请", Life.submits),
    ("天河区经办人员双因子登录", Life.officer_logs_in),
    ("经办人员在待办中找到该申请", Life.officer_finds_it),
    ("经办人员退回补正", Life.officer_returns_it),
    ("本人收到消息,看到退回原因", Life.sees_the_message),
    ("补正后重新提交", Life.corrects_and_submits_again),
    ("经办人员审核通过", Life.officer_approves),
    ("本人收到站内消息和短信", Life.is_told_of_approval),
    ("外部系统从总线收到审核通过事件", Life.other_system_hears),
    ("本人注销,登记变为无效", Life.cancels),
    ("本人的就业创业证可由任何人核验", Life.shows_the_certificate),
    ("退出登录", Life.logs_out),
)
