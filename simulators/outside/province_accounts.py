"""Who has an account at the province's unified identity, under which rules."""

import hashlib
import re
import secrets
import threading
from dataclasses import dataclass, field

from outside.legal_person_base import is_uscc

LEVELS = (2, 3, 4, 5)  # 二级 … 五级
MOST = 5_000
LOGIN = re.compile(r"[A-Za-z0-9_]{6,20}")
ITERATIONS = 1_000  # a simulator's
KINDS_IN_LOGIN = 2
KINDS_IN_PASSWORD = 3
PASSWORD_LENGTHS = range(8, 21)
FAILURES = 5  # in a row


@dataclass
class Person:
    """An account: a person's, or a unit's with the agent who works with it now (申请人)."""

    sub: str
    login_name: str
    salt: bytes = field(repr=False)
    password: bytes = field(repr=False)
    kind: str  # person | unit
    name: str
    number: str
    phone: str
    level: int
    agent_name: str = ""
    agent_number: str = ""
    promised: int = 0  # the level once the applicant's face was seen
    code: str = field(default="", repr=False)  # of the mini-program, for the applicant's telephone


def kinds_of(text: str, *, groups: tuple[str, ...]) -> int:
    """How many of these kinds of characters occur."""
    return sum(1 for group in groups if re.search(group, text))


def wrong_login_name(text: str) -> str:
    """6–20 letters, digits, underscores, of at least two of these kinds; why not, or nothing."""
    good = (
        LOGIN.fullmatch(text)
        and kinds_of(text, groups=("[A-Za-z]", "[0-9]", "_")) >= KINDS_IN_LOGIN
    )
    return "" if good else "登录账号应为6-20位字符，仅包含数字、字母、下划线中的两种或以上的组合"


def wrong_password(text: str) -> str:
    """8–20 of at least three kinds; why not, or nothing."""
    groups = ("[0-9]", "[A-Z]", "[a-z]", r"[^A-Za-z0-9\s]")
    good = len(text) in PASSWORD_LENGTHS and kinds_of(text, groups=groups) >= KINDS_IN_PASSWORD
    return (
        "" if good else "密码应为8-20位字符，仅含数字、大写字母、小写字母、特殊字符中的三种及以上"
    )


class Accounts:
    """The accounts of this process; thread-safe, bounded, with four to begin with."""

    def __init__(self) -> None:
        """Make the four."""
        self._by_login: dict[str, Person] = {}
        self._failures: dict[str, int] = {}
        self._lock = threading.Lock()
        lin = {
            "kind": "person",
            "name": "林小满",
            "number": "440106199001010012",
            "phone": "13800000000",
        }
        unit = {
            "kind": "unit",
            "phone": "13800000000",
            "agent_name": "林小满",
            "agent_number": "440106199001010012",
        }
        first = {"name": "广州小满示例科技有限公司", "number": "91440101MA5EXAMP0G"}
        second = {"name": "广州谷雨示例科技有限公司", "number": "91440101MA9EXAMP82"}
        self.open("gd_lin01", "Abcd123!", level=4, **lin)
        self.open("gd_unit04", "Abcd123!", level=4, **unit, **first)
        self.open("gd_unit03", "Abcd123!", level=3, **unit, **second)

    def register(self, form: dict[str, str]) -> dict[str, str]:
        """Open an account.

        Returns: what is wrong, by field; nothing when it is open.
        """
        number = form["number"].strip().upper()
        is_unit = form["kind"] == "unit"
        good_number = is_uscc(number) if is_unit else re.fullmatch(r"[0-9]{17}[0-9X]", number)
        checks = {
            "login_name": wrong_login_name(form["login_name"]),
            "password": wrong_password(form["password"]),
            "name": "" if form["name"].strip() else "请填写名称",
            "number": "" if good_number else "证件号码不正确",
            "level": ""
            if form["level"].isdigit() and int(form["level"]) in LEVELS
            else "请选择等级",
        }
        wrong = {name: text for name, text in checks.items() if text}
        if wrong:
            return wrong
        level = int(form["level"])
        taken = not self.open(
            form["login_name"], form["password"], kind="unit" if is_unit else "person",
            name=form["name"].strip(), number=number, phone=form.get("phone", "").strip(),
            level=LEVELS[0] if is_unit else level, promised=level,
        )  # fmt: skip
        return {"login_name": "登录账号已存在"} if taken else {}

    def open(self, login_name: str, password: str, **facts: object) -> bool:
        """Write an account; False when the name is taken or there is no room."""
        with self._lock:
            key = login_name.lower()
            if key in self._by_login or len(self._by_login) >= MOST:
                return False
            salt = secrets.token_bytes(16)
            sub = secrets.token_hex(12)
            self._by_login[key] = Person(sub, login_name, salt, _hash(password, salt), **facts)  # type: ignore[arg-type]
            return True

    def new_code(self, sub: str) -> Person | None:
        """刷新小程序码: the unit with a new code; the one of before is worth nothing."""
        found = self.by_sub(sub)
        if found is None or found.kind != "unit":
            return None
        found.code = secrets.token_hex(8)
        return found

    def prove_applicant(self, sub: str, code: str, name: str, number: str) -> str:
        """The applicant's face was seen on a telephone; only then is the unit's account whole.

        Returns: why not, or nothing.
        """
        with self._lock:
            found = next((p for p in self._by_login.values() if p.sub == sub and p.code), None)
            if found is None or not secrets.compare_digest(found.code, code):
                return "小程序码已失效，请刷新小程序码后重新扫描"
            if not name or not re.fullmatch(r"[0-9]{17}[0-9X]", number):
                return "人脸识别未通过，请由申请人本人操作"
            found.agent_name, found.agent_number, found.code = name, number, ""
            found.level = found.promised or found.level
            return ""

    def sign_in(self, login_name: str, password: str) -> Person | None:
        """Whose they are; five failures in a row close the account until the process ends."""
        with self._lock:
            key = login_name.strip().lower()
            found = self._by_login.get(key)
            if found is None or self._failures.get(key, 0) >= FAILURES:
                return None
            if not secrets.compare_digest(found.password, _hash(password, found.salt)):
                self._failures[key] = self._failures.get(key, 0) + 1
                return None
            self._failures.pop(key, None)
            return found

    def by_sub(self, sub: str) -> Person | None:
        """The account."""
        with self._lock:
            return next((p for p in self._by_login.values() if p.sub == sub), None)

    def by_login(self, login_name: str) -> Person | None:
        """The account."""
        with self._lock:
            return self._by_login.get(login_name.strip().lower())

    def everybody(self) -> list[Person]:
        """For the page that helps testers."""
        with self._lock:
            return list(self._by_login.values())[-50:]

    def set_level(self, sub: str, level: int) -> None:
        """Raise or lower a level, as a tester wants it."""
        with self._lock:
            for person in self._by_login.values():
                if person.sub == sub:
                    person.level = level


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
