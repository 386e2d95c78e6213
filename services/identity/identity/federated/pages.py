"""Logins and raises through a channel: begun, looked after, finished in the same browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, request

from identity.accounts.rules import Kind
from identity.adapters.proofing import Failed, Outcome, Way
from identity.adapters.scanned import Scanned
from identity.federated import actions, first_pages, rules, screen
from identity.parts import parts
from identity.sign_in import browser, entrance
from identity.verification import challenge_rules, challenges, raising
from identity.verification import rules as levels
from identity.verification.challenge_rules import ChallengeOver, NoChallenge, Purpose
from identity.verification.model import Challenge
from identity.verification.rules import Channel
from servicekit import logs
from servicekit.errors import OutsideFailed, Refusal
from servicekit.web.access import public, unkeyed
from servicekit.web.session import now, reading, transaction

log = logs.get_logger()

blueprint = Blueprint(
    "channel_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

_REFRESH_SECONDS: Final = 3
_LONGEST_PARAMETER: Final = 4_000
_LONGEST_SIGNED: Final = 24_000


@blueprint.get("/login/channel/<name>")
@public
def begin_login(name: str) -> Response:
    """Begin a login through another system (ID-09, ID-30)."""
    again = browser.with_return(request.path, browser.return_to())
    title = "登录"
    try:
        channel = screen.channel_named(name)
        rules.check_for_login(channel)
        title = rules.TITLES[channel]
        return screen.begin(channel, kind=rules.KINDS[channel], purpose=Purpose.LOGIN, owner=None)
    except Refusal as refusal:
        return screen.failed(refusal, title=title, again=again, raising_=False)


@blueprint.get("/proof")
@public
def show_proof() -> Response:
    """How it stands: the code to scan, the text to sign, what went wrong, or onward."""
    try:
        with reading() as db:
            found = screen.challenge(db)
        if challenges.way_of(found) is Way.QR:
            found = _look(found)
    except NoChallenge as refusal:
        return screen.failed(refusal, title="认证", again=None, raising_=False, status=404)
    except OutsideFailed:  # it stays as it was; the next look may find an answer
        return _waiting_page(found, trouble=True)
    return _next(found)


@blueprint.post("/proof/signature")
@public
def take_signature() -> Response:
    """Check what the certificate assistant signed (D6, ID-24)."""
    try:
        with reading() as db:
            found = screen.challenge(db)
    except NoChallenge as refusal:
        return screen.failed(refusal, title="认证", again=None, raising_=False, status=404)
    signed = request.form.get("signed", "")[:_LONGEST_SIGNED]
    if not browser.is_own_form():
        return _signature_page(found, signed, browser.STALE_FORM, 400)
    try:
        with parts().counts.apart() as db:  # counted whatever becomes of this request
            challenges.take_try(db, found, now=now())
        outcome = _ask(found, {"signed": signed})
    except ChallengeOver as refusal:
        return _Over.of(found).page(refusal)
    except OutsideFailed as refusal:
        return _signature_page(found, signed, refusal.message, 503)
    if isinstance(outcome, Failed):
        return _signature_page(found, signed, outcome.message, 422)
    return _next(_settle(found, outcome))


@blueprint.get("/province/callback")
@public
def return_from_province() -> Response:
    """The province sent the browser back (省统一身份认证)."""
    given = {n: v for n, v in request.args.items() if len(v) <= _LONGEST_PARAMETER}
    try:
        with reading() as db:
            found = screen.challenge(db)
        if found.channel != Channel.PROVINCE or not challenges.is_due(found, now=now()):
            raise ChallengeOver
        found = _settle(found, _ask(found, given))
    except Refusal as refusal:
        title = rules.TITLES[Channel.PROVINCE]
        return screen.failed(refusal, title=title, again=None, raising_=False)
    return browser.go(browser.with_return(screen.PROOF, found.return_to))


@blueprint.post("/callbacks/<name>")
@public
@unkeyed
def hear_callback(name: str) -> tuple[dict[str, str], int]:
    """An outside system says that something happened; we ask it what (signed, five minutes).

    What a callback claims is never believed by itself, so an old one sent again does nothing.
    """
    body: Any = request.get_json(silent=True)
    try:
        adapter = parts().channels.several_steps(screen.channel_named(name))
        if not isinstance(adapter, Scanned) or not isinstance(body, dict):
            raise OutsideFailed
        session = adapter.read_callback(body)
        with reading() as db:
            found = challenges.find_by_handle(db, Channel(name), session)
        if found is not None and challenges.is_due(found, now=now()):
            _look(found)
    except Refusal as refusal:
        log.warning("a callback was not taken", channel=name[:40], code=refusal.code)
        return {"status": "ignored"}, 202
    return {"status": "taken"}, 202


def _look(found: Challenge) -> Challenge:
    """Ask how it stands, when it is time to."""
    if not challenges.is_due(found, now=now()):
        return found
    return _settle(found, _ask(found, {}))


def _ask(found: Challenge, given: dict[str, str]) -> Outcome:
    adapter = parts().channels.several_steps(Channel(found.channel))
    return adapter.advance(challenges.handle_of(found), given, now=now())


def _settle(found: Challenge, outcome: Outcome) -> Challenge:
    with transaction() as db:
        found = db.get_one(Challenge, found.id)
        challenges.settle(db, found, outcome, now=now())
        return found


def _next(found: Challenge) -> Response:
    """From how it stands to the page that says so."""
    over = _Over.of(found)
    try:
        if challenge_rules.is_open(found.stage, found.expires_at, now=now()):
            signs = challenges.way_of(found) is Way.SIGNATURE
            return _signature_page(found) if signs else _waiting_page(found)
        if challenge_rules.has_failed(found.stage):
            raise levels.CheckFailed(found.failure)
        return _finish_raise(found) if found.purpose is Purpose.RAISE else _finish_login(found)
    except Refusal as refusal:
        return over.page(refusal)


def _finish_login(found: Challenge) -> Response:
    with transaction() as db:
        found = screen.challenge(db)
        channel = Channel(found.channel)
        proof = challenges.proof_of(found, now=now())
        if proof is None:
            raise ChallengeOver
        account = actions.account_of(db, proof)
        if account is None:
            challenges.give_time(db, found, now=now())
            return first_pages.to_first(proof.kind)
        challenges.use(db, found, now=now())
        actions.note_login(db, account, proof, channel, now=now())
        response = entrance.go_on(db, account, way=rules.WAYS[channel])
        if account.kind is Kind.UNIT and rules.needs_raise(account.level):
            response.location = first_pages.raise_address(rules.STRAIGHT_THROUGH)
    browser.drop_cookie(response, screen.COOKIE)
    return response


def _finish_raise(found: Challenge) -> Response:
    with transaction() as db:
        found = screen.challenge(db)
        owner = screen.owner_of(db)
        if owner is None or owner.id != found.account_id:
            raise NoChallenge  # somebody else signed in meanwhile
        raising.finish(db, found, owner, now=now())
        name = levels.LEVEL_NAMES[levels.OWN_SCALE[owner.kind]][owner.level]
    target = found.return_to
    response = browser.go(target) if target else browser.page("raised.html", level_name=name)
    browser.drop_cookie(response, screen.COOKIE)
    return response


@dataclass(frozen=True, slots=True)
class _Over:
    """What is known of a challenge after a refusal rolled everything back."""

    channel: Channel
    raising: bool
    return_to: str | None

    @classmethod
    def of(cls, found: Challenge) -> _Over:
        return cls(Channel(found.channel), found.purpose is Purpose.RAISE, found.return_to)

    def page(self, refusal: Refusal) -> Response:
        path = "raise" if self.raising else "login"
        again = f"{browser.PREFIX}/{path}/channel/{self.channel}"
        title = _title(self.channel, raising_=self.raising)
        again = browser.with_return(again, browser.return_to() or self.return_to)
        return screen.failed(refusal, title=title, again=again, raising_=self.raising)


def _title(channel: Channel, *, raising_: bool) -> str:
    return levels.CHANNEL_NAMES[channel] if raising_ else rules.TITLES[channel]


def _waiting_page(found: Challenge, *, trouble: bool = False) -> Response:
    channel, shown = Channel(found.channel), challenges.shown_of(found)
    # Only on request: a page that reloads by itself throws a screen reader back (WCAG 2.2.1).
    moving = request.args.get("moving") == "1"
    stay = browser.with_return(screen.PROOF, browser.return_to())
    return browser.page(
        "scan.html",
        title=_title(channel, raising_=found.purpose is Purpose.RAISE),
        cancel=screen.others(raising_=found.purpose is Purpose.RAISE),
        channel=str(channel),
        code=screen.qr_code(shown),
        confirm=found.confirm,
        scanned=challenge_rules.is_scanned(found.stage),
        trouble=trouble,
        minutes=max(1, round((found.expires_at - now()).total_seconds() / 60)),
        refresh=_REFRESH_SECONDS if moving else None,
        still=stay,
        here=f"{stay}{'&' if '?' in stay else '?'}moving=1",
        # There is no telephone beside a developer; where people are, the address is nobody's.
        telephone=None if parts().settings.environment == "production" else shown,
        return_to=browser.return_to(),
    )


def _signature_page(
    found: Challenge, signed: str = "", wrong: str | None = None, status: int = 200
) -> Response:
    channel, text = Channel(found.channel), challenges.shown_of(found)
    return browser.page(
        "signature.html",
        status,
        title=_title(channel, raising_=found.purpose is Purpose.RAISE),
        cancel=screen.others(raising_=found.purpose is Purpose.RAISE),
        text=text,
        assistant=screen.assistant_address(channel, text),
        typed={"signed": signed},
        error=wrong,
        return_to=browser.return_to() or found.return_to,
    )
