"""What an installation may set about 单位授权."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, setting
from servicekit.storage import StorageSettings


@dataclass(frozen=True)
class Settings(StorageSettings, ServiceSettings):
    """Settings of 单位授权, ``EMPLOYER_AUTH_…``."""

    employer_auth_client_secret: str = setting(
        "Secret of the OAuth client jiuye-employer-auth; identity has the same.", secret=True
    )
    outside_seconds: float = setting(
        "How long identity may take to answer before it counts as failed.", default=5.0
    )
    invitation_days: int = setting(
        "Days after which an invitation that nobody answered lapses.", default=30
    )
    invitations_per_hour: int = setting(
        "Persons one unit may ask for in an hour, found or not.", default=30
    )
    unmanaged_days: int = setting(
        "Days a unit may be without a person who manages before its agents must rest.",
        default=30,
    )
    code_review_days: int = setting(
        "Working days the agency has to decide on an application for a code.", default=5
    )
    code_days: int = setting("Days an authorisation code may be used.", default=30)
    code_materials_days: int = setting(
        "Days the materials of a decided application are kept.", default=30
    )
    code_idle_days: int = setting(
        "Days after which a draft or a returned application that nobody touches lapses.",
        default=90,
    )
    unit_searches_per_day: int = setting("Units one person may look up in a day.", default=50)
    objection_days: int = setting(
        "Days in which a legal representative may use an objection code.", default=7
    )
    objection_review_days: int = setting(
        "Working days an officer has to decide on an objection.", default=3
    )
    objections_per_address_hour: int = setting(
        "Objections one address may send in an hour.", default=20
    )
