"""What the application lends to its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from employment_registry.person import Person
from employment_registry.settings import Settings
from employment_registry.userinfo import Userinfo
from servicekit.web.session import actor, app, bearer_token

if TYPE_CHECKING:
    from employment_registry.certificate.signing import Signer
    from employment_registry.certificate.verification import StatusList
    from employment_registry.exporting import Export
    from servicekit.exports.desk import Exports

KEY: Final = "employment-registry"


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once in ``create_app``."""

    settings: Settings
    userinfo: Userinfo
    signer: Signer
    status_list: StatusList
    exports: Exports[Export]


def parts() -> Parts:
    """The parts of the application that answers this request."""
    found: Parts = app().extensions[KEY]
    return found


def asking_person() -> Person:
    """Who asks, as identity vouches for them under their own token.

    Raises: IdentityUnavailable, Unauthenticated.
    """
    return parts().userinfo.read(bearer_token() or "", actor().id)
