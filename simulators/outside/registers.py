"""Two registers about persons: the police's of residents, and social security's of the insured."""

import datetime
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from outside.behaviour import BROKEN_BODY, SILENCE, TEMPORARY, Answer, trouble
from outside.changes import Changes
from outside.signed import Gate

TITLES: Mapping[str, str] = {
    "population-register": "公安人口库",
    "social-security": "社会保险与税务征缴",
}
KINDS: Mapping[str, Mapping[str, str]] = {
    "population-register": {"died": "死亡注销户口", "restored": "撤销死亡登记"},
    "social-security": {
        "enrolled": "用人单位参保",
        "left": "用人单位停保",
        "pension": "开始领取养老金",
        "pension-ended": "停止领取养老金",
    },
}
DOCUMENTS: Mapping[str, str] = {
    "resident-card": "居民身份证",
    "hk-macau-permit": "港澳居民来往内地通行证",
    "taiwan-permit": "台湾居民来往大陆通行证",
    "hmt-residence-permit": "港澳台居民居住证",
    "foreign-permanent": "外国人永久居留身份证",
    "passport": "护照",
}
PER_MINUTE = 600
TROUBLES = (("繁忙", TEMPORARY), ("超时", SILENCE), ("乱码", BROKEN_BODY))
INSURED_SINCE = "2026-01-01"  # of those whose name says that they are
Question = Mapping[str, str]


class Register:
    """The door, the pace and the list of changes that both registers have."""

    def __init__(self, secret: str, kinds: Mapping[str, str]) -> None:
        """Take the secret shared with the callers."""
        self.gate = Gate(secret)
        self.kinds = kinds
        self.changes = Changes()
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._times: deque[float] = deque()
        self._latest: dict[tuple[str, str], str] = {}

    def check(self, body: object, headers: Mapping[str, str]) -> Answer:
        """Answer a question about one person."""
        if refusal := self.gate.refuses(body, headers, needed={"name", "document_number"}):
            return refusal
        assert isinstance(body, dict)
        if not self._in_pace():
            return trouble(429, "too-often", "查询过于频繁", retry_after=1)
        with self._lock:
            self.asked.append(body["document_number"])
        for magic, answer in TROUBLES:
            if magic in body["name"]:
                return answer
        return self.gate.answer(self.says(body["name"], body["document_number"]), headers)

    def says(self, name: str, number: str) -> Mapping[str, object]:
        """What this register knows of a person."""
        raise NotImplementedError

    def list_changes(self, body: object, headers: Mapping[str, str]) -> Answer:
        """Answer what changed after a number."""
        if refusal := self.gate.refuses(body, headers, needed={"after"}):
            return refusal
        assert isinstance(body, dict)
        found = self.changes.after(body["after"])
        if found is None:
            return trouble(400, "bad-body", "after 应为数字")
        return self.gate.answer(found, headers)

    def report(
        self, kind: str, number: str, on: str, *, document_kind: str = "resident-card"
    ) -> None:
        """Let something happen to a person.

        Raises: ValueError: no such kind, document, number or day.
        """
        if kind not in self.kinds:
            raise ValueError("没有这种变动")
        if document_kind not in DOCUMENTS:
            raise ValueError("没有这种证件")
        if not re.fullmatch(r"[0-9A-Z]{5,20}", number):
            raise ValueError("证件号码不正确")
        datetime.date.fromisoformat(on)
        with self._lock:
            self._latest[number, kind] = on
        self.changes.add(kind, document_kind, number, on)

    def since(self, number: str, begins: str, ends: str) -> str | None:
        """Since when something holds that one kind begins and another ends; None when it does not.

        Of two of one day the end counts.
        """
        with self._lock:
            begun, ended = self._latest.get((number, begins)), self._latest.get((number, ends))
        return begun if begun is not None and (ended is None or ended < begun) else None

    def _in_pace(self, clock: Callable[[], float] = time.monotonic) -> bool:
        with self._lock:
            now = clock()
            while self._times and self._times[0] < now - 60:
                self._times.popleft()
            self._times.append(now)
            return len(self._times) <= PER_MINUTE


class PopulationRegister(Register):
    """The police's: do name and number agree, does the person live, where is the hukou?"""

    def says(self, name: str, number: str) -> Mapping[str, object]:
        """By what the name contains, and by what was reported."""
        if "不一致" in name:
            return {"agrees": False}
        died = self.since(number, "died", "restored")
        hukou = "430102" if "外省" in name else number[:6]
        return {"agrees": True, "alive": died is None and "已故" not in name, "hukou": hukou}


class SocialSecurity(Register):
    """Social security's and the tax bureau's: insured by an employer, since when, pensioner?"""

    def says(self, name: str, number: str) -> Mapping[str, object]:
        """By what the name contains, and by what was reported."""
        since = self.since(number, "enrolled", "left")
        if since is None and "参保" in name:
            since = INSURED_SINCE
        pension = self.since(number, "pension", "pension-ended") is not None or "退休" in name
        return {"employed": since is not None, "since": since, "pensioner": pension}


def registers(secrets: Mapping[str, str]) -> dict[str, Register]:
    """Both, by name."""
    return {
        "population-register": PopulationRegister(
            secrets["population-register"], KINDS["population-register"]
        ),
        "social-security": SocialSecurity(secrets["social-security"], KINDS["social-security"]),
    }
