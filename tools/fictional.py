"""People who do not exist: valid numbers, new at every run, easily seen to be invented."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, ISO 7064 MOD 11-2
CHECK_DIGITS = "10X98765432"
COUNTY = "440106"
EARLIEST, DAYS = date(1980, 1, 1), 9_000  # of working age for years to come
SURNAMES, GIVEN = "林白江云海", ("小满", "谷雨", "清明", "白露", "立夏", "霜降", "惊蛰", "小雪")
GOOD_CARD, MISMATCHING_CARD, BROKEN_BANK_CARD = (
    "6222020000000000000",
    "6222020000000000018",
    "6222020000000000539",
)


@dataclass(frozen=True)
class Fictional:
    """One invented person with what forms ask for; the solar terms serve as names."""

    name: str
    document_number: str
    phone: str
    bank_phone: str
    login_name: str
    password: str = field(repr=False)

    @property
    def personal(self) -> tuple[str, ...]:
        """What must appear in no log."""
        return (self.name, self.document_number, self.phone, self.bank_phone, self.password)


def invent(chance: random.Random | None = None) -> Fictional:
    """A person nobody has registered yet, as far as chance goes."""
    draw = chance or random.SystemRandom()
    number = resident_number(EARLIEST + timedelta(draw.randrange(DAYS)), draw.randrange(1, 999))
    phone, bank_phone = (f"1990{draw.randrange(10**5):05d}{last:02d}" for last in (66, 77))
    name = draw.choice(SURNAMES) + draw.choice(GIVEN)
    letters = "".join(draw.choice("bdfhjkmprtvwxz") for _ in range(9))
    password = "".join(draw.choice(group) for group in ("BDFHKM", "bdfhkm", "2468", "#%&") * 3)
    return Fictional(name, number, phone, bank_phone, f"life_{letters}", password)


def resident_number(born: date, serial: int) -> str:
    """A resident number of Tianhe with the right check digit."""
    body = f"{COUNTY}{born:%Y%m%d}{serial:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    return body + CHECK_DIGITS[total % 11]


def wrong_check_digit(number: str) -> str:
    """The same number with another last digit."""
    return number[:-1] + ("0" if number[-1] != "0" else "1")


def employment_of(person: Fictional) -> dict[str, Any]:
    """个人就业信息, filled in."""
    return {
        "employment_type": "platform",
        "started_on": (date.today() - timedelta(days=40)).isoformat(),  # noqa: DTZ011
        "work_place": "440106001",
        "address": "示例路 1 号",
        "occupation": "网约配送",
        "monthly_income": "5200.00",
        "contact_phone": person.phone,
    }
