"""What the systems with a QR code share: a session in the browser, a telephone that confirms."""

import json
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from outside.behaviour import Answer, trouble
from outside.signed import Gate, new_reference, seal

KEPT = 2_000  # sessions
MOST_A_MINUTE = 600  # new sessions, of one caller
ASK_EVERY = 1.0  # seconds between two questions about one session
CALLBACK_SECONDS = 3.0
WRONG_NUMBERS = 3  # then the code is worth nothing
STATES = ("waiting", "scanned", "confirmed", "refused", "expired", "failed")


@dataclass
class Session:
    """One QR code and what became of it."""

    id: str
    token: str  # in the QR code; whoever has it is at the telephone
    asked: Mapping[str, str]
    expires_at: float
    state: str = "waiting"
    reason: str = ""
    who: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    asked_at: float = 0.0


class Scanning:
    """One system with QR codes; thread-safe, in memory, bounded.

    Args:
        secret: shared with the caller.
        life: seconds a code is good for.
        holder: turns the telephone's form into who confirms, or says why it may not.
    """

    def __init__(
        self,
        secret: str,
        *,
        life: float,
        holder: Callable[[Mapping[str, str], Mapping[str, str]], dict[str, str] | str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start without sessions."""
        self.gate = Gate(secret)
        self.life = life
        self._holder = holder
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._started: list[float] = []
        self._lock = threading.Lock()

    def start(self, body: object, headers: Mapping[str, str], *, address: str) -> Answer:
        """Open a session; the QR code holds the address of the telephone's page."""
        needed = {"kind", "confirm", "where"}
        also = {"callback", "name", "number"}
        if refusal := self.gate.refuses(body, headers, needed=needed, also=also):
            return refusal
        assert isinstance(body, dict)
        now = self._clock()
        with self._lock:
            self._started = [at for at in self._started if at > now - 60]
            if len(self._started) >= MOST_A_MINUTE:
                return trouble(429, "too-many", "请求过于频繁", retry_after=10)
            self._started.append(now)
            made = Session(secrets.token_hex(16), secrets.token_urlsafe(24), body, now + self.life)
            self._sessions[made.id] = made
            while len(self._sessions) > KEPT:
                del self._sessions[next(iter(self._sessions))]
        said = {
            "session": made.id,
            "qr": f"{address}/scan/{made.token}",
            "expires_in": int(self.life),
        }
        return self.gate.answer(said, headers)

    def result(self, body: object, headers: Mapping[str, str]) -> Answer:
        """How a session stands, and who confirmed."""
        if refusal := self.gate.refuses(body, headers, needed={"session"}):
            return refusal
        assert isinstance(body, dict)
        with self._lock:
            session = self._sessions.get(body["session"])
            if session is None:
                return trouble(404, "no-session", "会话不存在")
            now = self._clock()
            if now - session.asked_at < ASK_EVERY and session.state in ("waiting", "scanned"):
                return trouble(429, "too-often", "查询过于频繁", retry_after=1)
            session.asked_at = now
            self._age(session)
            said = {"session": session.id, "state": session.state, "reason": session.reason}
            return self.gate.answer({**said, **session.who}, headers)

    def on_telephone(self, token: str) -> Session | None:
        """The session the telephone scanned; a first look marks it."""
        with self._lock:
            found = next((s for s in self._sessions.values() if s.token == token), None)
            if found is None:
                return None
            self._age(found)
            if found.state == "waiting":
                found.state = "scanned"
            return found

    def answer_from(self, token: str, form: Mapping[str, str]) -> str:
        """What the person did on the telephone.

        Returns: why it did not work, or nothing.
        """
        session = self.on_telephone(token)
        if session is None or session.state != "scanned":
            return "二维码已失效，请在电脑上刷新后重新扫码"
        with self._lock:
            if form.get("decision") != "confirm":
                session.state, session.reason = "refused", "refused"
            elif form.get("confirm", "").strip() != session.asked["confirm"]:
                return self._wrong_number(session)
            else:
                outcome = self._holder(form, session.asked)
                if isinstance(outcome, str):
                    session.state, session.reason = "failed", outcome
                else:
                    session.state, session.who = "confirmed", outcome
        self._call_back(session)
        return ""

    def _wrong_number(self, session: Session) -> str:
        session.tries += 1
        if session.tries >= WRONG_NUMBERS:
            session.state, session.reason = "refused", "confirm-number"
        return "数字与电脑上显示的不一致。若不是您本人在操作，请选择“拒绝”"

    def _age(self, session: Session) -> None:
        if session.state in ("waiting", "scanned") and self._clock() >= session.expires_at:
            session.state, session.reason = "expired", "expired"

    def _call_back(self, session: Session) -> None:
        if address := session.asked.get("callback"):
            said = {"session": session.id, "state": session.state, "reason": session.reason}
            stamped = {
                **said,
                **session.who,
                "reference": new_reference(),
                "timestamp": int(time.time()),
            }
            body = seal(self.gate.secret, stamped)
            threading.Thread(target=_post, args=(address, body), daemon=True).start()


def _post(address: str, body: Mapping[str, object]) -> None:
    # Once, without insisting: whoever missed it asks for the result.
    data = json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the address came signed
        address, data, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        urllib.request.urlopen(request, timeout=CALLBACK_SECONDS).close()  # noqa: S310
    except OSError:
        return
