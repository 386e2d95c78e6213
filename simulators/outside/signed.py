"""How the systems check who asks and sign what they answer."""

import hashlib
import hmac
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from uuid import uuid4

from outside.behaviour import Answer, trouble

MAX_ELEMENT = 400
MAX_NONCE = 64
CLOCK_SKEW = 300  # seconds
NONCES_KEPT = 10_000


def sign(secret: str, fields: Mapping[str, str], *, timestamp: str, nonce: str) -> str:
    """The signature a caller must send: HMAC-SHA256 over all members sorted by name."""
    members = {**fields, "timestamp": timestamp, "nonce": nonce}
    text = "&".join(f"{name}={members[name]}" for name in sorted(members))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def seal(secret: str, body: Mapping[str, object]) -> dict[str, object]:
    """The body with the signature its reader checks: over the JSON with sorted names."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return {
        **body,
        "signature": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
    }


def new_reference() -> str:
    """A system's own number of an answer."""
    return uuid4().hex


class Gate:
    """One system's door: signed, fresh, each nonce once; thread-safe and bounded."""

    def __init__(self, secret: str) -> None:
        """Take the secret shared with the caller."""
        self.secret = secret
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def refuses(
        self,
        body: object,
        headers: Mapping[str, str],
        *,
        needed: set[str],
        also: set[str] = frozenset(),  # type: ignore[assignment]
    ) -> Answer | None:
        """Why a question is not taken, or nothing.

        Args: body: the JSON as it came.
            needed, also: its members that must and that may be there.
        """
        if not isinstance(body, dict) or not needed <= set(body) <= needed | also:
            return trouble(400, "bad-body", f"应含 {'、'.join(sorted(needed))}")
        if not all(isinstance(v, str) and len(v) <= MAX_ELEMENT for v in body.values()):
            return trouble(400, "bad-body", f"各项应为不超过 {MAX_ELEMENT} 字符的文本")
        timestamp, nonce = headers.get("X-Timestamp", ""), headers.get("X-Nonce", "")
        expected = sign(self.secret, body, timestamp=timestamp, nonce=nonce)
        if not hmac.compare_digest(expected.encode(), headers.get("X-Signature", "").encode()):
            return trouble(401, "bad-signature", "验签失败")
        if not _recent(timestamp) or not self._first_use(nonce):
            return trouble(401, "bad-signature", "请求已过期或重复")
        return None

    def answer(self, body: Mapping[str, object], headers: Mapping[str, str]) -> Answer:
        """Our signed answer to the question with these headers."""
        said = {**body, "reference": new_reference(), "nonce": headers.get("X-Nonce", "")}
        return Answer(200, seal(self.secret, said))

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


def _recent(timestamp: str) -> bool:
    digits = re.fullmatch(r"[0-9]{1,12}", timestamp)
    return digits is not None and abs(time.time() - int(timestamp)) <= CLOCK_SKEW
