"""Is a password good enough? Length, kinds of characters, runs, context words, the common list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from servicekit.errors import FieldError

KINDS_NEEDED: Final = 3  # 大写、小写、数字、其他字符四类中至少三类
_KINDS: Final = "大写字母、小写字母、数字、其他字符中的至少三类"
SHORTEST_CONTEXT: Final = 4  # a three-letter login name would refuse half of the language
PHONE_TAIL: Final = 8

# Where a finger can slide: rows, columns, and the orders everybody knows by heart.
_ROWS: Final = ("`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./")
_COLUMNS: Final = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/")
_ORDERS: Final = ("abcdefghijklmnopqrstuvwxyz", "0123456789")
_SHIFTED: Final = str.maketrans('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./")
_LEET: Final = str.maketrans("@4013$5!7", "aaoiessit")


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of the policy; the defaults are the manual's (单位登录操作指引 3).

    Args:
        kinds: how many of the four kinds of characters must occur.
        max_age: a password that is older must be changed at the next login; None is for ever.
    """

    shortest: int = 8
    longest: int = 30
    longest_run: int = 3  # the manual shows both 3 and 4; 3 satisfies both
    kinds: int = KINDS_NEEDED
    max_age: timedelta | None = None

    @property
    def hint(self) -> str:
        """What stands beside the box."""
        length = f"{self.shortest}–{self.longest} 位"
        return f"{length}，包含{_KINDS}。" if self.kinds > 1 else f"{length}，不能是常见的密码。"

    def is_outworn(self, password: str, changed_at: datetime, *, now: datetime) -> bool:
        """Must a right password be replaced now: too old, or on the common list by now?"""
        old = self.max_age is not None and now - changed_at > self.max_age
        return old or is_common(password)


# Which rules hold where they clash (三种规范与手册); one is chosen by a setting.
PROFILES: Final = {
    "hrss": Policy(),  # 人社统一认证
    "prov": Policy(longest=20, longest_run=20),  # 省统一身份认证
    "dengbao3": Policy(max_age=timedelta(days=90)),  # GB/T 22239-2019 8.1.4.1 a
    "asvs5": Policy(shortest=15, longest=100, longest_run=100, kinds=1),  # ASVS 5 6.2
}


def check(
    policy: Policy, password: str, *, context: Iterable[str] = (), pointer: str = "/password"
) -> list[FieldError]:
    """Everything that is wrong with a password, at once (ID-03).

    Args:
        policy: lengths and the longest run.
        password: as typed; it never appears in the answer.
        context: what a guesser would try first: login name, phone, document number.
        pointer: the field to name.
    """
    found = []
    if not policy.shortest <= len(password) <= policy.longest:
        length = f"密码长度应为 {policy.shortest}–{policy.longest} 位"
        found.append(FieldError(pointer, "password-length", length))
    if count_kinds(password) < policy.kinds:
        kinds = f"密码须包含{_KINDS}"
        found.append(FieldError(pointer, "password-kinds", kinds))
    if not (password.isascii() and password.isprintable()):
        signs = "密码只能使用键盘上的字母、数字和符号"
        found.append(FieldError(pointer, "password-characters", signs))
    if longest_run(password) > policy.longest_run:
        run = f"密码中不能有超过 {policy.longest_run} 个键盘相邻、连续或相同的字符"
        found.append(FieldError(pointer, "password-run", run))
    if any(word in password.casefold() for word in _context_words(context)):
        told = "密码不能包含用户名、手机号码或证件号码"
        found.append(FieldError(pointer, "password-tells-who", told))
    if is_common(password):
        found.append(FieldError(pointer, "password-common", "该密码过于常见，请更换"))
    return found


def count_kinds(password: str) -> int:
    """How many of upper case, lower case, digits and other signs occur."""
    tests = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
    return sum(any(test(c) for c in password) for test in tests)


def longest_run(password: str) -> int:
    """The longest stretch that slides along a keyboard line or an order, or repeats one key."""
    keys = password.casefold().translate(_SHIFTED)
    longest = run = min(len(keys), 1)
    previous: frozenset[tuple[int, int]] = frozenset()
    length_of: dict[tuple[int, int], int] = {}
    for left, right in pairwise(keys):
        steps = _steps(left, right)
        length_of = {s: length_of.get(s, 1) + 1 if s in previous else 2 for s in steps}
        previous = steps
        run = max(length_of.values(), default=1)
        longest = max(longest, run)
    return longest


def is_common(password: str) -> bool:
    """Is it on the list, as typed or with the usual replacements (P@ssw0rd) undone?"""
    plain = password.casefold()
    return any(form in _common() for form in (plain, plain.translate(_LEET)))


def _steps(left: str, right: str) -> frozenset[tuple[int, int]]:
    """The lines on which the second key follows the first: (line, direction)."""
    if left == right:
        return frozenset({(-1, 0)})
    found = set()
    for number, line in enumerate(_ROWS + _COLUMNS + _ORDERS):
        a, b = line.find(left), line.find(right)
        if a >= 0 and b >= 0 and abs(a - b) == 1:
            found.add((number, b - a))
    return frozenset(found)


def _context_words(context: Iterable[str]) -> set[str]:
    words = set()
    for word in context:
        plain = word.casefold()
        words.add(plain)
        if plain.isdigit():
            words.add(plain[-PHONE_TAIL:])
        if len(plain) == len("440106199001010012"):
            words |= {plain[6:14], plain[-PHONE_TAIL:]}  # the birth date, the tail
    return {word for word in words if len(word) >= SHORTEST_CONTEXT}


@cache
def _common() -> frozenset[str]:
    text = (files("identity") / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
