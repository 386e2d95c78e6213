"""The outside systems that prove who somebody is, put together from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from identity.adapters import openssl, proofing
from identity.adapters.bank_card import BankCardCheck, HttpBankCardCheck
from identity.adapters.certificates import CertificateChannel, TrustedIssuers, load_roots
from identity.adapters.legal_person_base import HttpLegalPersonBase, LegalPersonBase
from identity.adapters.province import Province
from identity.adapters.scanned import Scanned
from identity.adapters.signed import SignedClient
from identity.settings import Settings
from identity.verification import rules
from identity.verification.rules import Channel
from servicekit.client import Client
from servicekit.clock import Clock
from servicekit.settings import BadSettings

PROVINCE_CALLBACK: Final = "/identity/province/callback"
SIMULATOR_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Channels:
    """Made once per process.

    Attributes:
        started: the channels of several steps, by name.
        assistants: where the certificate assistants are.
    """

    bank_card: BankCardCheck
    legal_person_base: LegalPersonBase
    started: Mapping[Channel, proofing.Channel]
    assistants: Mapping[Channel, str]
    off: frozenset[str] = frozenset()

    def is_on(self, channel: Channel) -> bool:
        """May it be used?"""
        return channel not in self.off

    def several_steps(self, channel: Channel) -> proofing.Channel:
        """The adapter of a channel with a challenge.

        Raises:
            NoSuchChannel: it has none, or is switched off.
        """
        found = self.started.get(channel)
        if found is None or not self.is_on(channel):
            raise rules.NoSuchChannel
        return found


def make_channels(settings: Settings, *, clock: Clock) -> Channels:
    """Clients, secrets and roots, as the settings say.

    Args:
        clock: the wall clock; outside systems compare with their own, whatever ours pretends.

    Raises:
        BadSettings: an unknown channel is switched off; in production also when a simulator
            answers at one of the addresses, or there is no OpenSSL.
    """
    if settings.environment == "production":
        refuse_simulators(settings)
        if not openssl.is_there():
            raise BadSettings("the openssl program, 3.0 or newer, is needed for certificates")
    off = frozenset(settings.channels_off)
    if unknown := off - {str(c) for c in Channel}:
        raise BadSettings(f"IDENTITY_CHANNELS_OFF: no such channel: {', '.join(sorted(unknown))}")
    make = _Maker(settings, clock)
    return Channels(
        bank_card=HttpBankCardCheck(make.signed("bank_card")),
        legal_person_base=HttpLegalPersonBase(make.signed("legal_person_base")),
        started={
            Channel.SOCIAL_CARD: Scanned("e-social-card", "person", make.signed("social_card")),
            Channel.FACE: Scanned("face", "person", make.signed("face"), asks_for=True),
            Channel.LICENCE: Scanned("e-business-licence", "unit", make.signed("licence")),
            Channel.NET_BANK: make.certificates("net_bank"),
            Channel.CERTIFICATE: make.certificates("ca"),
            Channel.PROVINCE: make.province(),
        },
        assistants={
            Channel.NET_BANK: f"{settings.net_bank_url}/assistant",
            Channel.CERTIFICATE: f"{settings.ca_url}/assistant",
        },
        off=off,
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes adapters by the names of their settings."""

    settings: Settings
    clock: Clock

    def signed(self, name: str) -> SignedClient:
        """A system with a shared secret."""
        secret = getattr(self.settings, f"{name}_secret")
        pause = self.settings.outside_pause_seconds
        return SignedClient(self._client(name), secret, self.clock, pause=pause)

    def certificates(self, name: str) -> CertificateChannel:
        """An authority and its roots."""
        roots = load_roots(getattr(self.settings, f"{name}_roots"))
        issuers = TrustedIssuers(self._client(name), roots)
        origin = self.settings.public_url
        return CertificateChannel(name.replace("_", "-"), issuers, origin, self.clock)

    def province(self) -> Province:
        """The upstream OpenID provider."""
        return Province(
            self._client("province"),
            self.settings.province_url,
            self.settings.province_client_id,
            self.settings.province_client_secret,
            self.clock,
        )

    def _client(self, name: str) -> Client:
        return Client(
            getattr(self.settings, f"{name}_url"),
            timeout=self.settings.outside_seconds,
            name=name.replace("_", "-"),
            simulators=self.settings.environment != "production",
        )


def outside_addresses(settings: Settings) -> dict[str, str]:
    """Every outside system's address, by the setting's name."""
    names = (
        "sms", "bank_card", "legal_person_base", "social_card", "face", "licence", "net_bank",
        "ca", "province",
    )  # fmt: skip
    return {f"{name}_url": getattr(settings, f"{name}_url") for name in names}


def refuse_simulators(settings: Settings) -> None:
    """Look at every address once: a name that looks real may still lead to a simulator.

    Raises:
        BadSettings: naming each. Who does not answer now is looked at with every answer.
    """
    wrong = [
        f"IDENTITY_{name.upper()} is answered by a simulator"
        for name, address in outside_addresses(settings).items()
        if Client(address, timeout=SIMULATOR_SECONDS, name=name).is_simulator()
    ]
    if wrong:
        raise BadSettings("\n".join(wrong))
