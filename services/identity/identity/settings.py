"""The settings of identity; no secret has a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from identity.channel_settings import ChannelSettings
from identity.password_policy import PROFILES
from servicekit.settings import BadSettings, ServiceSettings, setting
from servicekit.storage import StorageSettings

LEAST_MEMORY_KIB: Final = 19456  # OWASP: argon2id m=19 MiB, t=2, p=1
LEAST_TIME: Final = 2


@dataclass(frozen=True)
class Settings(ChannelSettings, StorageSettings, ServiceSettings):
    """What identity is told beyond what every service is told."""

    gateway_client_secret: str = setting(
        "Secret of the OAuth client jiuye-gateway; the gateway has the same.", secret=True
    )
    employer_auth_client_secret: str = setting(
        "Secret of the OAuth client jiuye-employer-auth; employer-auth has the same.", secret=True
    )
    employer_auth_url: str = setting(
        "Where employer-auth listens: asked for the units a person may act for.",
        default="http://127.0.0.1:8102",
    )
    sms_url: str = setting("The SMS gateway.", default="http://127.0.0.1:8190/sms", outside=True)
    bank_card_url: str = setting(
        "The bank-card check (银联四要素).",
        default="http://127.0.0.1:8190/bank-card",
        outside=True,
    )
    bank_card_secret: str = setting("Signs what is asked of the bank-card check.", secret=True)
    outside_seconds: float = setting(
        "How long an outside system may take before it counts as failed.", default=5.0
    )
    demo_file: str | None = setting(
        "Where the seed writes the demo accounts; refused in production.", default=None
    )
    password_memory_kib: int = setting(
        "argon2id memory per hash; production refuses less than the default.",
        default=LEAST_MEMORY_KIB,
    )
    password_time_cost: int = setting(
        "argon2id passes; production refuses less than the default.", default=LEAST_TIME
    )
    password_profile: str = setting(
        "Rules of passwords: hrss (the manual's), prov, dengbao3, asvs5.", default="hrss"
    )
    password_max_age_days: int = setting(
        "Days after which a password must be changed; 0 leaves it to the profile.", default=0
    )
    password_longest_run: int = setting(
        "Most neighbouring, consecutive or equal keys in a password; the manual shows 3 and 4.",
        default=3,
    )
    recovery_photos_kept_days: int = setting(
        "Days the photographs of a decided recovery are kept.", default=30
    )
    security_questions: bool = setting(
        "May persons set security questions? They never suffice alone; off removes them.",
        default=True,
    )
    sms_codes_per_phone_day: int = setting("SMS codes one phone may ask for a day.", default=10)
    sms_codes_per_address_hour: int = setting(
        "SMS codes one address may ask for an hour; an address may be a whole hall.", default=30
    )
    sms_codes_per_address_day: int = setting(
        "SMS codes one address may ask for a day.", default=200
    )
    sms_codes_per_day: int = setting("SMS codes everybody together may ask for.", default=100_000)
    sign_ins_per_address: int = setting(
        "Password attempts one address has in ten minutes.", default=120
    )
    matches_per_client: int = setting(
        "How often one service may ask in an hour whether a person is registered.", default=3_000
    )
    unit_tries_per_address: int = setting(
        "How often step 1 of a unit's registration may be tried from one address in an hour.",
        default=60,
    )
    unit_checks_per_address: int = setting(
        "How many unit numbers one address may look up in an hour.", default=60
    )

    def __post_init__(self) -> None:
        """Refuse what contradicts production.

        Raises:
            BadSettings: naming each.
        """
        if self.password_profile not in PROFILES:
            raise BadSettings(f"IDENTITY_PASSWORD_PROFILE is one of {', '.join(PROFILES)}")
        if self.environment != "production":
            return
        wrong = []
        if self.password_memory_kib < LEAST_MEMORY_KIB or self.password_time_cost < LEAST_TIME:
            wrong.append("IDENTITY_PASSWORD_MEMORY_KIB, IDENTITY_PASSWORD_TIME_COST are too low")
        if self.demo_file is not None:
            wrong.append("IDENTITY_DEMO_FILE: there are no demo accounts in production")
        if "simulator" in self.bank_card_secret:
            wrong.append("IDENTITY_BANK_CARD_SECRET is the simulator's, which everybody knows")
        wrong += self.unfit_channels()
        if wrong:
            raise BadSettings("\n".join(wrong))
