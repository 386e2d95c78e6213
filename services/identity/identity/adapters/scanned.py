"""Channels with a QR code: social-security card, face, business licence.

One manner of speaking for the three: we open a session and show its code; the telephone asks for
the number that stands beside the code; we ask for the result, or the system calls us back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from identity.adapters.proofing import (
    Failed,
    Outcome,
    Pending,
    Proof,
    Started,
    Verified,
    Way,
    Wish,
)
from identity.verification.rules import QR_LIFE
from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import DocumentNumber
from servicekit.signed import SignedAnswer, SignedClient

_BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS}
_NAME, _NUMBER = 100, 40
# What the systems say when it did not work, in words for the person.
REASONS: Final[Mapping[str, str]] = {
    "refused": "您在手机上拒绝了本次请求",
    "confirm-number": "手机上输入的数字与电脑显示的不一致，本次请求已作废",
    "expired": "二维码已失效，请重新获取",
    "no-card": "手机上没有可用的电子社保卡，请先申领",
    "card-lost": "该社会保障卡已挂失，请先办理解挂",
    "liveness": "活体检测失败，请在光线充足处正对屏幕后重试",
    "different": "与证件照片比对未通过，请由本人操作",
    "timeout": "未在规定时间内完成人脸识别，请重试",
    "matter-not-downloaded": "请先在手机上下载事项为“电子政务-市场监管-政务服务网”的电子营业执照",
    "no-role": "您不是该电子营业执照的法定代表人、证照管理员或办事人",
    "no-licence": "手机上没有可用的电子营业执照，请先下载",
    "licence-revoked": "该营业执照已被吊销，不能使用",
}
_UNKNOWN: Final = "核验未通过，请重试或选择其他认证方式"


@dataclass(frozen=True, slots=True)
class Scanned:
    """One such system.

    Args:
        provider: what evidence names.
        kind: whom it proves, ``person`` or ``unit``.
        asks_for: it must be told whom it should see (a face without a name proves nothing).
    """

    provider: str
    kind: str
    outside: SignedClient
    asks_for: bool = False

    def start(self, wish: Wish, *, now: datetime) -> Started:
        """Open a session."""
        question = {
            "kind": self.kind,
            "confirm": wish.confirm,
            "where": wish.where,
            "callback": wish.back,
        }
        if self.asks_for:
            question |= {"name": wish.name, "number": wish.number}
        try:
            answer = self.outside.ask("/sessions", question)
        except Answered as error:
            raise OutsideFailed from error
        seconds = answer.body.get("expires_in")
        if not isinstance(seconds, int) or seconds <= 0:
            raise OutsideFailed
        life = min(timedelta(seconds=seconds), QR_LIFE)
        handle = {"session": answer.text("session")}
        if self.asks_for:
            handle["number"] = wish.number
        return Started(Way.QR, handle, answer.text("qr"), now + life)

    def advance(
        self, handle: Mapping[str, str], given: Mapping[str, str], *, now: datetime
    ) -> Outcome:
        """Ask how it stands."""
        try:
            answer = self.outside.ask("/results", {"session": handle["session"]})
        except Answered as error:
            if error.status in _BUSY:
                return Pending()
            return Failed("expired", REASONS["expired"])
        if answer.text("session") != handle["session"]:
            raise OutsideFailed
        return self._outcome(answer, handle)

    def read_callback(self, body: Mapping[str, Any]) -> str:
        """Which session a callback is about; what it says is asked for again all the same.

        Raises:
            OutsideFailed: it is not theirs, or old.
        """
        return self.outside.reads(body).text("session")

    def health(self) -> bool:
        """Does the system answer at all?"""
        return self.outside.answers()

    def _outcome(self, answer: SignedAnswer, handle: Mapping[str, str]) -> Outcome:
        state = answer.text("state")
        if state in ("waiting", "scanned"):
            return Pending(scanned=state == "scanned")
        if state != "confirmed":
            reason = answer.text("reason")
            return Failed(reason, REASONS.get(reason, _UNKNOWN))
        number = answer.text("number", longest=_NUMBER)
        name = answer.text("name", longest=_NAME)
        if not number or not name:
            raise OutsideFailed
        asked = handle.get("number")
        if asked is not None and DocumentNumber(asked) != DocumentNumber(number):
            return Failed("different", REASONS["different"])
        proof = Proof(
            provider=self.provider,
            reference=answer.reference,
            kind=self.kind,
            name=name,
            number=number,
            answer_hash=answer.answer_hash,
            role=_optional(answer, "role"),
            phone=_optional(answer, "phone"),
        )
        return Verified(proof)


def _optional(answer: SignedAnswer, name: str) -> str:
    return answer.text(name) if name in answer.body else ""
