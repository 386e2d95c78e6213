"""A bank-card check of four elements: does this card belong to this person with this phone?"""

import re
from collections.abc import Mapping

from outside.behaviour import BROKEN_BODY, SILENCE, TEMPORARY, Answer, trouble
from outside.signed import Gate

ELEMENTS = ("card_number", "document_number", "name", "phone")
MESSAGES: Mapping[str, str] = {
    "0": "一致",
    "1": "不一致",
    "2": "无效卡号",
    "3": "卡状态异常",
    "5": "受限制的卡",
    "9": "失败",
}


class BankCardCheck:
    """The check behind its signature."""

    def __init__(self, secret: str) -> None:
        """Take the secret shared with the caller."""
        self.gate = Gate(secret)

    def check(self, body: object, headers: Mapping[str, str]) -> Answer:
        """Answer one check."""
        if refusal := self.gate.refuses(body, headers, needed=set(ELEMENTS)):
            return refusal
        assert isinstance(body, dict)
        if not all(body.values()):
            return trouble(400, "bad-body", "各项不能为空")
        verdict = _judge(body["card_number"])
        return verdict if isinstance(verdict, Answer) else self.gate.answer(verdict, headers)


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of a card number."""
    doubled = [int(c) * (1 + i % 2) for i, c in enumerate(reversed(number))]
    return sum(sum(divmod(d, 10)) for d in doubled) % 10 == 0


def _judge(card: str) -> Answer | Mapping[str, str]:
    if not re.fullmatch(r"[0-9]{16,19}", card) or not passes_luhn(card):
        return _verdict("2")
    magic = card[-3:-1]
    match magic:
        case "53":
            return TEMPORARY
        case "54":
            return SILENCE
        case "55":
            return BROKEN_BODY
        case _:
            code = magic.removeprefix("0")
            return _verdict(code if code in MESSAGES else "0")


def _verdict(code: str) -> Mapping[str, str]:
    return {"code": code, "message": MESSAGES[code]}
