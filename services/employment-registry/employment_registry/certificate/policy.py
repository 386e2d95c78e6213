"""How certificates are numbered and when they are issued; a kind of policy (AL-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

# 户籍性质: identity does not know it, and the certificate does not guess.
NATURE_UNKNOWN: Final = "0"
REGION_DIGITS: Final = 6
PARTS: Final = ("region", "nature", "check", "year", "serial")


@dataclass(frozen=True, slots=True)
class CertificatePolicy:
    """Of which parts a number is made, whether it outlives a replacement, what brings it along."""

    number: tuple[str, ...]
    serial_digits: int
    number_stays_on_replacement: bool
    issued_with_registration: bool

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says."""
        return cls(**{**value, "number": tuple(value["number"])})

    def write_number(self, *, region: str, day: date, serial: int) -> str:
        """One number.

        Args:
            region: where it is issued; the county counts.
            day: of the issue, in China.
            serial: counted per county and year, from 1.

        Raises:
            ValueError: the serial does not fit its digits.
        """
        if not self.holds(serial):
            raise ValueError("the serial does not fit its place")
        parts = {
            "region": region[:REGION_DIGITS].ljust(REGION_DIGITS, "0"),
            "nature": NATURE_UNKNOWN,
            "year": f"{day:%y}",
            "serial": f"{serial:0{self.serial_digits}d}",
        }
        bare = "".join(parts[name] for name in self.number if name != "check")
        return "".join({**parts, "check": _check_digit(bare)}[name] for name in self.number)

    def holds(self, serial: int) -> bool:
        """Does a serial fit its digits?"""
        past: int = 10**self.serial_digits
        return 1 <= serial < past


def _check_digit(digits: str) -> str:
    """ISO 7064 MOD 11,10: finds every wrong digit and nearly every exchange."""
    carry = 10
    for digit in digits:
        carry = (int(digit) + carry) % 10 or 10
        carry = carry * 2 % 11
    return str((11 - carry) % 10)
