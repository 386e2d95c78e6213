"""The settings of the channels: for each outside system its address and what it shares with us."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import setting

_SIMULATORS = "http://127.0.0.1:8190"


@dataclass(frozen=True)
class ChannelSettings:
    """What identity is told about the systems that prove who somebody is."""

    legal_person_base_url: str = setting(
        "The legal-person base (法人基础库).",
        default=f"{_SIMULATORS}/legal-person-base",
        outside=True,
    )
    legal_person_base_secret: str = setting(
        "Signs questions to the legal-person base and its answers.", secret=True
    )
    social_card_url: str = setting(
        "The electronic social-security card (电子社保卡).",
        default=f"{_SIMULATORS}/social-card",
        outside=True,
    )
    social_card_secret: str = setting(
        "Signs questions to the electronic social-security card and its answers.", secret=True
    )
    face_url: str = setting(
        "The face check of the mini-program (人脸识别).",
        default=f"{_SIMULATORS}/face",
        outside=True,
    )
    face_secret: str = setting("Signs questions to the face check and its answers.", secret=True)
    licence_url: str = setting(
        "The electronic business licence (电子营业执照).",
        default=f"{_SIMULATORS}/licence",
        outside=True,
    )
    licence_secret: str = setting(
        "Signs questions to the electronic business licence and its answers.", secret=True
    )
    net_bank_url: str = setting(
        "The banks' certificate authority: its revocation list and its assistant (网银证书).",
        default=f"{_SIMULATORS}/net-bank",
        outside=True,
    )
    net_bank_roots: str | None = setting(
        "PEM file of the banks' root certificates; production refuses to go without.", default=None
    )
    ca_url: str = setting(
        "The certificate authority: its revocation list and its assistant (CA证书).",
        default=f"{_SIMULATORS}/ca",
        outside=True,
    )
    ca_roots: str | None = setting(
        "PEM file of the CA's root certificates; production refuses to go without.", default=None
    )
    province_url: str = setting(
        "The province's unified identity, an OpenID provider (省统一身份认证): its issuer.",
        default=f"{_SIMULATORS}/province",
        outside=True,
    )
    province_client_id: str = setting("What the province registered us as.", default="jiuye")
    province_client_secret: str = setting(
        "Our secret at the province's OpenID provider.", secret=True
    )
    channels_off: tuple[str, ...] = setting(
        "Channels that are switched off, by name (docs/channels.md), comma between them.",
        default=(),
    )
    outside_pause_seconds: float = setting(
        "Pause before an outside system is asked a second time; doubled before the third.",
        default=0.2,
    )

    def unfit_channels(self) -> list[str]:
        """What about the channels contradicts production."""
        roots = ("net_bank_roots", "ca_roots")
        missing = [name for name in roots if getattr(self, name) is None]
        shared = ("legal_person_base", "social_card", "face", "licence", "province_client")
        known = [name for name in shared if "simulator" in getattr(self, f"{name}_secret")]
        return [
            *(
                f"IDENTITY_{name.upper()} is needed: nobody else may say whom to trust"
                for name in missing
            ),
            *(
                f"IDENTITY_{name.upper()}_SECRET is the simulator's, which everybody knows"
                for name in known
            ),
        ]
