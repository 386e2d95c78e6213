"""Passkeys (WebAuthn): registered by a signed-in owner, then a login of their own."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from identity.accounts.model import Account
from identity.messages import actions as messages
from identity.second_factors import rules
from identity.second_factors.model import Passkey, PasskeyChallenge
from servicekit.db import new_id
from servicekit.personal import PersonalText

NAME: Final = "广东公共就业服务"
_CHALLENGE_BYTES: Final = 32
_LONGEST_CREDENTIAL: Final = 1023  # bytes, WebAuthn 4
_LONGEST_ANSWER: Final = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Site:
    """The one origin passkeys are made for and answer to."""

    origin: str

    @property
    def host(self) -> str:
        """The relying party's id; no passkey leaves it."""
        return urlsplit(self.origin).hostname or ""


def offer_registration(
    db: Session, account: Account, site: Site, *, now: datetime
) -> dict[str, Any]:
    """What the browser hands to ``navigator.credentials.create``."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=NAME,
        user_id=account.id.encode(),
        user_name=account.login_name.expose(),
        challenge=_challenge(db, account.id, now=now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=p.credential_id) for p in passkeys_of(db, account.id)
        ],
    )
    return _plain(options)


def register(
    db: Session, account: Account, site: Site, *, answer: str, label: str, now: datetime
) -> Passkey:
    """Keep a new passkey (ID-46).

    Raises:
        FactorRefused: it has no name.
        FactorConflict: there are ten already.
        PasskeyRefused: what the browser brought is not right.
    """
    name = rules.check_label(label)
    if len(passkeys_of(db, account.id)) >= rules.MOST_PASSKEYS:
        raise rules.FactorConflict(f"最多可添加 {rules.MOST_PASSKEYS} 个通行密钥")
    credential = _parse(answer)
    challenge = _take_challenge(db, credential, account.id, now=now)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise rules.PasskeyRefused from error
    taken = select(Passkey.id).where(Passkey.credential_id == made.credential_id)
    if len(made.credential_id) > _LONGEST_CREDENTIAL or db.scalar(taken) is not None:
        raise rules.PasskeyRefused
    passkey = Passkey(
        id=new_id(),
        account_id=account.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        label=PersonalText(name),
        backed_up=made.credential_backed_up,
        created_at=now,
    )
    db.add(passkey)
    messages.tell(db, account.id, "passkey-added", {}, subject=None, now=now)
    return passkey


def offer_login(db: Session, site: Site, *, now: datetime) -> dict[str, Any]:
    """What the browser hands to ``navigator.credentials.get``; it names nobody's passkeys."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=_challenge(db, None, now=now),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(options)


def check_login(db: Session, site: Site, *, answer: str, now: datetime) -> Account:
    """Whose passkey signed this? It is a login with two factors: the key, and what unlocks it.

    Raises:
        PasskeyRefused: unknown, not ours, replayed, or its counter went back.
    """
    credential = _parse(answer)
    challenge = _take_challenge(db, credential, None, now=now)
    try:
        credential_id = base64url_to_bytes(str(credential["rawId"]))
    except (KeyError, ValueError) as error:
        raise rules.PasskeyRefused from error
    found = select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    passkey = db.scalar(found)
    if passkey is None:
        raise rules.PasskeyRefused
    try:
        seen = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # ours says which account's passkey was copied
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise rules.PasskeyRefused from error
    if rules.is_copied(seen=seen.new_sign_count, kept=passkey.sign_count):
        raise rules.PasskeyRefused
    passkey.sign_count, passkey.last_used_at = seen.new_sign_count, now
    return db.get_one(Account, passkey.account_id)


def passkeys_of(db: Session, account_id: str) -> list[Passkey]:
    """An account's own, the oldest first."""
    own = select(Passkey).where(Passkey.account_id == account_id)
    return list(db.scalars(own.order_by(Passkey.created_at, Passkey.id)))


def remove(db: Session, account: Account, passkey_id: str, *, now: datetime) -> None:
    """Forget a passkey; the owner is told.

    Raises:
        NoPasskey: not there, or another account's.
    """
    passkey = db.get(Passkey, passkey_id)
    if passkey is None or passkey.account_id != account.id:
        raise rules.NoPasskey
    db.delete(passkey)
    messages.tell(db, account.id, "passkey-removed", {}, subject=None, now=now)


def forget_challenges(db: Session, *, now: datetime) -> None:
    """Remove what nobody answered in time."""
    db.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))


def _challenge(db: Session, account_id: str | None, *, now: datetime) -> bytes:
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    expires_at = now + rules.CHALLENGE_LIFE
    db.add(PasskeyChallenge(challenge=challenge, account_id=account_id, expires_at=expires_at))
    return challenge


def _take_challenge(
    db: Session, credential: dict[str, Any], account_id: str | None, *, now: datetime
) -> bytes:
    """The challenge this answers, used up: of two requests with one answer, one goes on."""
    try:
        told = json.loads(base64url_to_bytes(str(credential["response"]["clientDataJSON"])))
        challenge = base64url_to_bytes(str(told["challenge"]))
    except (KeyError, TypeError, ValueError) as error:
        raise rules.PasskeyRefused from error
    once = (
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge == challenge,
            PasskeyChallenge.account_id.is_not_distinct_from(account_id),
            PasskeyChallenge.expires_at > now,
        )
        .returning(PasskeyChallenge.challenge)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is None:
        raise rules.PasskeyRefused
    return challenge


def _parse(answer: str) -> dict[str, Any]:
    try:
        credential = json.loads(answer[:_LONGEST_ANSWER])
    except ValueError as error:
        raise rules.PasskeyRefused from error
    if not isinstance(credential, dict):
        raise rules.PasskeyRefused
    return credential


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(options_to_json(options))
    return plain
