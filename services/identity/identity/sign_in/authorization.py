"""From an authorization request to a code: what was asked, what is owed, where it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from joserfc import jwt
from joserfc.errors import JoseError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from identity.accounts.rules import Kind
from identity.parts import parts
from identity.sign_in import asking, browser, consents, pushed
from identity.sign_in.asking import Asking, BadAsking, Present, Step
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.client_model import PushedRequest
from identity.sign_in.keys import ALGORITHMS
from identity.sign_in.sessions import Subject
from servicekit.web.session import now

DENIED: Final = "denied"
_OWN: Final = ("arrived", "done", "as_unit")  # what we add on the way round through our pages
_PAGES: Final = {
    Step.LOGIN: f"{browser.PREFIX}/login",
    Step.SELECT: browser.UNITS,
    Step.RAISE: f"{browser.PREFIX}/raise",
    Step.CONSENT: f"{browser.PREFIX}/consent",
}
_LONGEST: Final = 8000
_LONGEST_HINT: Final = 40


class UnmetError(OAuth2Error):  # type: ignore[misc]
    """The essential acr is out of reach (OpenID Connect Core Unmet Authentication 1.0)."""

    error = "unmet_authentication_requirements"


class NotPushed(Exception):
    """The ``request_uri`` is unknown, used, expired, or another client's."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request on its first or a later visit."""

    asked: MultiDict[str, str]
    kept: tuple[tuple[str, str], ...]  # what goes round with the browser
    arrived_at: datetime
    done: frozenset[str]
    row: PushedRequest | None
    as_unit: bool


def arrive(db: Session, given: MultiDict[str, str]) -> Arrival:
    """Read the request, pushed or given.

    Args:
        given: the query of the request; a page of ours reads it out of ``return_to``.

    Raises:
        NotPushed: there is no such pushed request.
    """
    if sum(len(n) + len(v) for n, v in given.items(multi=True)) > _LONGEST:
        raise NotPushed
    kept = tuple((n, v) for n, v in given.items(multi=True) if n not in _OWN)
    row = None
    asked = MultiDict(kept)
    if request_uri := given.get("request_uri"):
        row = pushed.find(db, request_uri, given.get("client_id", ""), now=now())
        if row is None:
            raise NotPushed
        asked = MultiDict(pushed.parameters_of(row))
        # Our pages must know where their forms may end up; nothing else outside counts.
        again = {"client_id": row.client_id, "request_uri": request_uri}
        kept = tuple({**again, "redirect_uri": asked.get("redirect_uri", "")}.items())
    return Arrival(
        asked=asked,
        kept=kept,
        arrived_at=_marked(kept, given.get("arrived", "")) or now(),
        done=frozenset(given.get("done", "").split()),
        row=row,
        as_unit=given.get("as_unit") == "1",
    )


def next_step(
    db: Session, arrival: Arrival, client: ClientFacts, subject: Subject | None, uri: str
) -> Step | None:
    """What comes before the code; None when nothing does.

    Args:
        uri: the client's address, found right: every error goes there.

    Raises:
        OAuth2Error: what cannot be done silently, or at all.
    """
    _check_client(arrival, client, uri)
    check(arrival.asked, uri)
    asked = asking.read(arrival.asked)
    if DENIED in arrival.done:
        raise AccessDeniedError(redirect_uri=uri)
    if arrival.as_unit:
        asked = replace(asked, as_unit=True)
    present = None if subject is None else _present(db, arrival, client, subject)
    done = arrival.done
    step = asking.owed(asked, present, done=done, arrived_at=arrival.arrived_at)
    if step is Step.RAISE and present is not None:
        step = _raise_or_go_on(asked, present, arrival, uri)
    elif present is not None and step is None and asked.essential:
        _check_essential(asked, present, uri)
    if asked.is_silent and step is Step.LOGIN:
        raise LoginRequiredError(redirect_uri=uri)
    if asked.is_silent and step is Step.CONSENT:
        raise ConsentRequiredError(redirect_uri=uri)
    return step


def check(asked: MultiDict[str, str], uri: str) -> None:
    """Is a pushed request whole? What is wrong is said before a browser sees it.

    Raises:
        InvalidRequestError: naming the parameter.
    """
    try:
        asking.read(asked)
    except BadAsking as error:
        raise InvalidRequestError(str(error), redirect_uri=uri) from None


def arrive_by(db: Session, target: str) -> Arrival:
    """The request that a page of ours is to lead back to.

    Raises:
        NotPushed: as for :func:`arrive`.
    """
    return arrive(db, MultiDict(parse_qsl(urlsplit(target).query, keep_blank_values=True)))


def login_hint(db: Session, target: str | None) -> str:
    """Who the client expects to log in; nothing where it does not say (OpenID Core 3.1.2.1)."""
    if target is None or not target.startswith(browser.AUTHORIZE):
        return ""
    try:
        return arrive_by(db, target).asked.get("login_hint", "")[:_LONGEST_HINT]
    except NotPushed:
        return ""


def page_for(step: Step, arrival: Arrival) -> str:
    """The page of a step, which leads back here."""
    done = arrival.done | ({step} if step in (Step.SELECT, Step.RAISE) else set())
    back = return_to(arrival, done)
    path = browser.with_return(_PAGES[step], back)
    if step is Step.RAISE:
        path += f"&{urlencode({'acr_values': _wanted(arrival)})}"
    return path


def return_to(arrival: Arrival, done: frozenset[str]) -> str:
    """This very request again, remembering when it came first and what was done since."""
    marker = _marker(arrival.kept, arrival.arrived_at)
    more = [("arrived", marker)] + ([("done", " ".join(sorted(done)))] if done else [])
    return f"{browser.AUTHORIZE}?{urlencode([*arrival.kept, *more])}"


def _check_client(arrival: Arrival, client: ClientFacts, uri: str) -> None:
    if client.row.requires_par and arrival.row is None:
        raise InvalidRequestError("This client pushes its requests.", redirect_uri=uri)
    repeated = [n for n in arrival.asked if len(arrival.asked.getlist(n)) > 1]
    if repeated:
        raise InvalidRequestError(f"'{repeated[0]}' is given twice.", redirect_uri=uri)


def _present(db: Session, arrival: Arrival, client: ClientFacts, subject: Subject) -> Present:
    scopes = client.get_allowed_scope(arrival.asked.get("scope")).split()
    since = consents.given_at(db, subject.account.id, client.client_id, scopes)
    return Present(
        authenticated_at=subject.session.authenticated_at,
        acr=subject.acr,
        is_person=subject.account.kind is Kind.PERSON,
        is_hinted=_is_hinted(arrival.asked.get("id_token_hint"), client, subject),
        consented_at=since,
        needs_consent=client.row.needs_consent,
    )


def _raise_or_go_on(asked: Asking, present: Present, arrival: Arrival, uri: str) -> Step | None:
    """To the guided raise, where it can help; a wish is given up, a demand is not (ID-42)."""
    wanted = asked.essential or asked.acr_values
    possible = asking.can_be_raised(present.acr, wanted) is not None
    if possible and not asked.is_silent:
        return Step.RAISE
    if asked.essential:
        raise UnmetError(redirect_uri=uri)
    return asking.owed(
        asked, present, done=arrival.done | {Step.RAISE}, arrived_at=arrival.arrived_at
    )


def _check_essential(asked: Asking, present: Present, uri: str) -> None:
    if not asking.meets(present.acr, asked.essential):
        raise UnmetError(redirect_uri=uri)


def _wanted(arrival: Arrival) -> str:
    asked = asking.read(arrival.asked)
    return " ".join(asked.essential or asked.acr_values)


def _is_hinted(hint: str | None, client: ClientFacts, subject: Subject) -> bool:
    """Is nobody hinted at, or the person who is signed in? An old hint counts as well."""
    if not hint:
        return True
    provider = parts().provider
    try:
        keys = provider.keys.public(now=now())
        claims: dict[str, Any] = jwt.decode(hint, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError):
        return False
    name = provider.subjects.subject(client, subject.account.id)
    return bool(claims.get("aud") == client.client_id and claims.get("sub") == name)


def _marker(kept: tuple[tuple[str, str], ...], at: datetime) -> str:
    seconds = f"{at.timestamp():.6f}"
    return f"{seconds}.{_sign(kept, seconds)}"


def _marked(kept: tuple[tuple[str, str], ...], marker: str) -> datetime | None:
    """When the request came first, if it is this request and the mark is ours."""
    seconds, _, signature = marker.rpartition(".")
    if not seconds or signature != _sign(kept, seconds):
        return None
    return datetime.fromtimestamp(float(seconds), UTC)


def _sign(kept: tuple[tuple[str, str], ...], seconds: str) -> str:
    text = f"{seconds}\n{urlencode(kept)}"
    return parts().counts.vault.index(text, "authorization.arrived").hex()
