"""What the application lends to its endpoints: counters, hasher, provider, adapters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from flask import current_app, request

from identity.adapters.agents import Agents
from identity.adapters.bank_card import BankCardCheck
from identity.adapters.employer_auth import EmployerAuth
from identity.adapters.legal_person_base import LegalPersonBase
from identity.channels import Channels
from identity.hashing import Hasher
from identity.limits import Counts
from identity.pace import Limit
from identity.password_policy import PROFILES, Policy
from identity.recovery.model import Upload
from identity.settings import Settings
from identity.sign_in.provider import Provider
from identity.sms_codes.rules import Limits
from identity.units.rules import Limits as UnitLimits
from servicekit.uploads import Uploads

KEY: Final = "identity"


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once in ``create_app``."""

    settings: Settings
    counts: Counts
    hasher: Hasher
    provider: Provider
    employer_auth: EmployerAuth
    agents: Agents
    channels: Channels
    uploads: Uploads[Upload]

    @property
    def bank_card(self) -> BankCardCheck:
        """The bank-card check (银联四要素)."""
        return self.channels.bank_card

    @property
    def legal_person_base(self) -> LegalPersonBase:
        """The legal-person base (法人基础库)."""
        return self.channels.legal_person_base

    @property
    def password_policy(self) -> Policy:
        """The policy in force."""
        settings = self.settings
        policy = PROFILES[settings.password_profile]
        age, run = settings.password_max_age_days, settings.password_longest_run
        policy = policy if age == 0 else replace(policy, max_age=timedelta(days=age))
        own = policy.longest_run == Policy().longest_run  # the manual's 3 or 4 is ours to choose
        return replace(policy, longest_run=run) if own else policy

    @property
    def sms_limits(self) -> Limits:
        """How many codes may be asked for."""
        return Limits(
            per_phone_day=self.settings.sms_codes_per_phone_day,
            per_address_hour=self.settings.sms_codes_per_address_hour,
            per_address_day=self.settings.sms_codes_per_address_day,
            everybody_day=self.settings.sms_codes_per_day,
        )

    @property
    def unit_limits(self) -> UnitLimits:
        """How often a unit's registration may be tried, and a number looked up."""
        return UnitLimits(
            tries_per_address_hour=self.settings.unit_tries_per_address,
            checks_per_address_hour=self.settings.unit_checks_per_address,
        )

    @property
    def sign_in_limit(self) -> Limit:
        """How many passwords one address may try."""
        allowance = self.settings.sign_ins_per_address
        return Limit("sign-in-address", allowance, timedelta(minutes=10))


def parts() -> Parts:
    """The parts of the application that answers this request."""
    found: Parts = current_app.extensions[KEY]
    return found


def client_address() -> str:
    """Where the request came from: what the gateway wrote last, or the peer itself."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded or request.remote_addr or "unknown"
