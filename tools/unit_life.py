"""The life of a unit: it binds a person, grants, the person acts for it, and it takes all back.

The manuals' order (001 二(三), 003 §8): sub-account, consent, permission, 以法人身份登录. The demo
accounts walk it, so it can be walked again and again.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from browser import Answer, Browser, UnexpectedError, expect
from signing_in import log_in

OURS = "/api/employer-auth/v1"
PERSONAL = "/api/employment-registry/v1/flexible-employment-registrations"
BUSINESS = "employer-auth.unit"
LIVE = ("invited", "active", "suspended")
PATIENCE = 20.0
IN_FORCE = 2.0  # seconds, ID-43
POLL = 0.05


@dataclass
class UnitLife:
    """One walk against one suite; what the acts learn stands here."""

    gateway: str
    accounts: dict[str, Any]
    on_step: Callable[[str, str, Any, Answer], None] | None = None
    binding: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the unit's browser and the agent's."""
        self.unit = Browser(self.gateway, self.on_step)
        self.agent = Browser(self.gateway, self.on_step)

    @classmethod
    def of_running_suite(cls, state: Path, **more: Any) -> "UnitLife":
        """The suite that `make run` runs on this folder.

        Raises: FileNotFoundError when none runs.
        """
        facts = json.loads((state / "run.json").read_text())
        return cls(facts["gateway"], json.loads(Path(facts["demo_file"]).read_text()), **more)

    def unit_logs_in(self) -> None:
        """The unit's own account logs in; what an earlier walk left is released."""
        known = self.accounts["units"]["unit"]
        session = log_in(self.unit, known["login_name"], known["password"])
        expect(session["kind"] == "unit", "it is a unit")
        for row in self.unit.api("GET", f"{OURS}/sub-accounts", expect=200).json["items"]:
            if row["state"] in LIVE:
                move = "cancel" if row["state"] == "invited" else "release"
                self.unit.api("POST", f"{OURS}/sub-accounts/{row['id']}/{move}", {}, expect=200)

    def looks_for_nobody(self) -> None:
        """新增 with a number that is not the person's: the manual's own sentence."""
        wrong = self._person() | {"document_number": "440106198001010018"}
        answer = self._invite(wrong)
        expect(answer.code == "bind-user-not-found", f"nobody is found, not {answer.code}")
        said = "未查询到对应用户，请检查用户信息后重新发起绑定"
        expect(said in answer.json["detail"], "the manual's sentence is said")

    def invites(self) -> None:
        """发起绑定: the right name, login name and number."""
        answer = self._invite(self._person())
        expect(answer.status == 201, f"the person is invited, not {answer.code}")
        self.binding = dict(answer.json)

    def person_accepts(self) -> None:
        """父账号信息: only the person's consent binds."""
        known = self.accounts["persons"]["agent"]
        log_in(self.agent, known["login_name"], known["password"])
        units = self.agent.api("GET", f"{OURS}/acting-units", expect=200).json["items"]
        expect(self.binding["id"] not in {u["binding_id"] for u in units}, "not before consent")
        path = f"{OURS}/parent-accounts/{self.binding['id']}/accept"
        self.binding = dict(self.agent.api("POST", path, {}, expect=200).json)
        expect(self.binding["state"] == "active", "it is active")

    def acts_without_a_grant(self) -> None:
        """以法人身份登录: nothing is granted by default, so nothing can be done."""
        self._act()
        refused = self.agent.api("GET", f"{OURS}/sub-accounts", expect=403)
        expect(refused.code == "not-granted", "nothing is granted by default")
        personal = self.agent.api("GET", PERSONAL, expect=403)
        expect(personal.code == "personal-session-required", "personal business needs oneself")

    def unit_grants(self) -> None:
        """The unit grants one business for a month."""
        ends = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011
        path = f"{OURS}/sub-accounts/{self.binding['id']}/grants/{BUSINESS}"
        self.unit.api("PUT", path, {"actions": ["manage"], "valid_until": ends}, expect=200)

    def acts_with_the_grant(self) -> None:
        """The next token holds the permission; the unit is the one who acts."""
        self._act()
        rows = self.agent.api("GET", f"{OURS}/sub-accounts", expect=200).json["items"]
        expect(self.binding["id"] in {row["id"] for row in rows}, "the agent manages for the unit")

    def leaves_the_unit(self) -> None:
        """Back to personal business without a new password."""
        self.agent.api("POST", "/sso/act/leave", expect=200)
        session = self.agent.api("GET", "/sso/session", expect=200).json
        expect(session["kind"] == "person", "the session is the person's own again")
        self.agent.api("GET", PERSONAL, expect=200)
        self._act()

    def unit_takes_it_back(self) -> None:
        """解除绑定: within two seconds the agent's session for the unit is worth nothing."""
        path = f"{OURS}/sub-accounts/{self.binding['id']}/release"
        self.unit.api("POST", path, {}, expect=200)
        began = time.monotonic()
        while self.agent.api("GET", f"{OURS}/sub-accounts").status == 200:
            expect(time.monotonic() - began < IN_FORCE, "it is in force within two seconds")
            time.sleep(POLL)

    def _person(self) -> dict[str, str]:
        known = self.accounts["persons"]["agent"]
        return {name: known[name] for name in ("login_name", "name", "document_number")}

    def _invite(self, asked: dict[str, str]) -> Answer:
        """As soon as employer-auth has heard of the unit: the suite may just have started."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.unit.api("POST", f"{OURS}/sub-accounts", asked)
            if answer.code != "unit-not-known-yet" or time.monotonic() > deadline:
                return answer
            time.sleep(POLL)

    def _act(self) -> None:
        chosen = f"unit_id={self.binding['unit_id']}&binding_id={self.binding['id']}"
        self.agent.api("POST", f"/sso/act?{chosen}", expect=200)
        session = self.agent.api("GET", "/sso/session", expect=200).json
        if session.get("kind") != "unit":
            raise UnexpectedError("the session does not act for the unit")


# What happens, who does it, and the method.
ACTS: tuple[tuple[str, Callable[[UnitLife], None]], ...] = (
    ("单位账号登录", UnitLife.unit_logs_in),
    ("单位新增子账号,个人信息有误", UnitLife.looks_for_nobody),
    ("单位发起绑定", UnitLife.invites),
    ("个人在父账号信息中同意绑定", UnitLife.person_accepts),
    ("以法人身份登录,尚未授权任何业务", UnitLife.acts_without_a_grant),
    ("单位授予业务权限", UnitLife.unit_grants),
    ("经办人为单位办理业务", UnitLife.acts_with_the_grant),
    ("退出单位身份,无需重新登录", UnitLife.leaves_the_unit),
    ("单位解除绑定,两秒内处处失效", UnitLife.unit_takes_it_back),
)
