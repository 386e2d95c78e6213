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
from identity.settings import Settings
from identity.verification import rules
from identity.verification.rules import Channel
from servicekit.client import Client, refuse_simulators
from servicekit.clock import Clock
from servicekit.settings import BadSettings, outside_addresses
from servicekit.signed import SignedClient

PROVINCE_CALLBACK: Final = "/identity/province/callback"


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
        refuse_simulators(outside_addresses(settings, "IDENTITY"))
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
