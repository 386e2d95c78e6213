"""A bank-card check of four elements: does this card belong to this person with this phone?"""

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from uuid import uuid4

from outside.behaviour import BROKEN_BODY, SILENCE, TEMPORARY, Answer, trouble

ELEMENTS = ("card_number", "document_number", "name", "phone")
MAX_ELEMENT = 100
MAX_NONCE = 64
CLOCK_SKEW = 300  # seconds
NONCES_KEPT = 10_000
MESSAGES: Mapping[str, str] = {
    "0": "一致",
    "1": "不一致",
    "2": "无效卡号",
    "3": "卡状态异常",
    "5": "受限制的卡",
    "9": "失败",
}


def sign(secret: str, fields: Mapping[str, str], *, timestamp: str, nonce: str) -> str:
    """The signature a caller must send: HMAC-SHA256 over all members sorted by name."""
    members = {**fields, "timestamp": timestamp, "nonce": nonce}
    text = "&".join(f"{name}={members[name]}" for name in sorted(members))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class BankCardCheck:
    """The check behind its signature; thread-safe, remembers a bounded number of nonces."""

    def __init__(self, secret: str) -> None:
        """Take the secret shared with the caller."""
        self._secret = secret
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def check(
        self, body: object, *, timestamp: str, nonce: str, signature: str, now: float
    ) -> Answer:
        """Answer one check.

        Args: body: the JSON as it came.
            timestamp, nonce, signature: the headers as they came.
            now: unix seconds.
        """
        if not isinstance(body, dict) or set(body) != set(ELEMENTS):
            return trouble(400, "bad-body", "应含且仅含 name、document_number、card_number、phone")
        if not all(isinstance(v, str) and 0 < len(v) <= MAX_ELEMENT for v in body.values()):
            return trouble(400, "bad-body", f"各项应为 1 到 {MAX_ELEMENT} 字符的文本")
        expected = sign(self._secret, body, timestamp=timestamp, nonce=nonce)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return trouble(401, "bad-signature", "验签失败")
        if not _recent(timestamp, now) or not self._first_use(nonce):
            return trouble(401, "bad-signature", "请求已过期或重复")
        return _judge(body["card_number"])

    def _first_use(self, nonce: str) -> bool:
        if not 0 < len(nonce) <= MAX_NONCE:
            return False
        with self._lock:
            if nonce in self._nonces:
                return False
            self._nonces[nonce] = None
            if len(self._nonces) > NONCES_KEPT:
                self._nonces.popitem(last=False)
        return True


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of a card number."""
    doubled = [int(c) * (1 + i % 2) for i, c in enumerate(reversed(number))]
    return sum(sum(divmod(d, 10)) for d in doubled) % 10 == 0


def _recent(timestamp: str, now: float) -> bool:
    digits = re.fullmatch(r"[0-9]{1,12}", timestamp)
    return digits is not None and abs(now - int(timestamp)) <= CLOCK_SKEW


def _judge(card: str) -> Answer:
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


def _verdict(code: str) -> Answer:
    return Answer(200, {"code": code, "message": MESSAGES[code], "reference": uuid4().hex})
