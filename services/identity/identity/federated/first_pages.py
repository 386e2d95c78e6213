"""A person's first login through a channel: the account is opened, and it goes on in place (A3).

The proof waits in the challenge. Whatever is sent twice has one effect, and the next login goes
straight through.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from identity import form_pages
from identity.accounts import agreements
from identity.adapters.proofing import Proof
from identity.federated import actions, rules, screen
from identity.parts import parts
from identity.sign_in import browser, entrance
from identity.units import rules as unit_rules
from identity.verification import challenges
from identity.verification.challenge_rules import ChallengeOver
from identity.verification.model import Challenge
from identity.verification.rules import Channel
from servicekit.errors import FieldError, Refusal
from servicekit.personal import DocumentNumber, MobileNumber, PersonName
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "first_login_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

PERSON: Final = f"{browser.PREFIX}/first-login"
UNIT: Final = f"{browser.PREFIX}/first-unit"
_SUGGESTED: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def to_first(kind: str) -> Response:
    """To the pages of a first login."""
    return browser.go(
        browser.with_return(PERSON if kind == "person" else UNIT, browser.return_to())
    )


def raise_address(level: int) -> str:
    """The guided raise to a unit's level, and from there onward."""
    asked = {"acr_values": f"urn:gdprov:ial:{level}"}
    target = browser.return_to()
    return f"{screen.RAISE}?{urlencode(asked | ({'return_to': target} if target else {}))}"


@blueprint.get("/first-login")
@public
def show_person() -> Response:
    """What the channel told of a person, and what is still needed."""
    return with_proof(
        lambda _db, found, proof: _person_page(found.channel, proof, {"login_name": _suggestion()})
    )


@blueprint.post("/first-login")
@public
def open_person() -> Response:
    """Open the account and sign in."""
    typed = form_pages.typed()

    def act(db: Session, found: Challenge, proof: Proof) -> Response:
        if not browser.is_own_form():
            return _person_page(found.channel, proof, typed, form_pages.stale("login_name"), 400)
        channel = Channel(found.channel)
        account = actions.account_of(db, proof)
        if account is None:
            form = actions.FirstLogin(
                login_name=typed.get("login_name", "").strip(),
                agreements=agreements.in_force() if typed.get("agreed") == "yes" else {},
            )
            own = parts()
            account = actions.open_person(
                db, proof, form, hasher=own.hasher, counts=own.counts, now=now()
            )
        challenges.use(db, found, now=now())
        actions.note_login(db, account, proof, channel, now=now())
        return gone(entrance.go_on(db, account, way=rules.WAYS[channel]))

    return with_proof(
        act, lambda found, proof, wrong: _person_page(found, proof, typed, wrong, 422)
    )


def with_proof(
    act: Callable[[Session, Challenge, Proof], Response],
    refused: Callable[[str, Proof, Sequence[FieldError]], Response] | None = None,
    *,
    form: bool = False,
) -> Response:
    """Do something with the proof that waits in this browser; a refusal shows the form again."""
    proof, channel = None, ""
    try:
        with transaction() as db:
            found = screen.challenge(db)
            channel = found.channel
            proof = challenges.proof_of(found, now=now())
            if proof is None:
                raise ChallengeOver
            if form and not browser.is_own_form():
                stale = form_pages.stale("login_name")
                return (
                    refused(channel, proof, stale) if refused else browser.page("refused.html", 400)
                )
            return act(db, found, proof)
    except unit_rules.NoTicket:
        return browser.go(browser.with_return(UNIT, browser.return_to()))
    except Refusal as refusal:
        if proof is None or refused is None or isinstance(refusal, ChallengeOver):
            return screen.failed(refusal, title="首次登录", again=None, raising_=False)
        wrong = refusal.fields or [FieldError("/login_name", refusal.code, refusal.message)]
        return refused(channel, proof, wrong)


def gone(response: Response) -> Response:
    browser.drop_cookie(response, screen.COOKIE)
    return response


def _suggestion() -> str:
    return "gd_" + "".join(secrets.choice(_SUGGESTED) for _ in range(8))


def _person_page(
    channel: str,
    proof: Proof,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
    status: int = 200,
) -> Response:
    shown = [on_page(each, ("login_name", "agreed")) for each in wrong]
    return browser.page(
        "first-person.html",
        status,
        name=PersonName(proof.name).mask(),
        number=DocumentNumber(proof.number).mask(),
        phone=MobileNumber(proof.phone).mask() if proof.phone else "未提供",
        level_name=actions.level_name_of(proof, Channel(channel)),
        typed=typed,
        **form_pages.faults(shown, ("login_name", "agreed")),
        agreements=agreements.all_agreements(),
        return_to=browser.return_to(),
    )


def on_page(wrong: FieldError, fields: Sequence[str]) -> FieldError:
    """A fault of what is not on the page (the channel's own number, say) is told at its top."""
    known = wrong.field.removeprefix("/") in fields or wrong.field == "/agreements"
    return wrong if known else FieldError(f"/{fields[0]}", wrong.code, wrong.message)
