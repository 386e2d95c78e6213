"""The province's unified identity (省统一身份认证) as an upstream OpenID provider.

Authorization code with PKCE, state, nonce and ``iss`` (RFC 9207): an answer counts only where the
question was asked, and only from whom it was asked of. Tokens are verified with joserfc.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from identity.adapters.proofing import Failed, Outcome, Proof, Started, Verified, Way, Wish
from identity.verification.rules import REDIRECT_LIFE
from servicekit import logs
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import OutsideFailed, Unavailable

log = logs.get_logger()

PROVIDER: Final = "province"
ALGORITHMS: Final = ["RS256", "ES256", "PS256"]
METADATA_KEPT: Final = timedelta(hours=1)
LEEWAY_SECONDS: Final = 60
LONGEST_CLAIM: Final = 200
KINDS: Final[Mapping[str, str]] = {"person": "person", "corp": "unit"}
LEVELS: Final = range(2, 6)
FAILURES: Final[Mapping[str, str]] = {
    "access_denied": "您取消了省统一身份认证登录",
    "mixed-up": "登录请求与返回的结果不一致，为保护您的账号安全已停止，请重新登录",
    "unusable": "省统一身份认证返回的账号信息不完整，请使用其他方式登录",
}


@dataclass
class Province:
    """The provider as we know it; one per process.

    Args:
        client: its base address is the issuer.
        issuer: what it must call itself.
        client_id, client_secret: what it registered us as.
        clock: the wall clock, by which its tokens live.
    """

    client: Client
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    clock: Clock
    _known: tuple[datetime, dict[str, Any], KeySet] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def start(self, wish: Wish, *, now: datetime) -> Started:
        """Where the browser goes, with a state, a nonce and a verifier of its own."""
        handle = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        handle["back"] = wish.back
        digest = hashlib.sha256(handle["verifier"].encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": wish.back,
            "scope": "openid profile",
            "state": handle["state"],
            "nonce": handle["nonce"],
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if wish.level:
            asked["acr_values"] = f"urn:gd:trust:{wish.level}"
        metadata, _ = self._provider()
        address = f"{metadata['authorization_endpoint']}?{urlencode(asked)}"
        return Started(Way.REDIRECT, handle, address, now + REDIRECT_LIFE)

    def advance(
        self, handle: Mapping[str, str], given: Mapping[str, str], *, now: datetime
    ) -> Outcome:
        """Read the answer the browser brought back; the code is spent once."""
        metadata, keys = self._provider()
        if not _same(given.get("state", ""), handle["state"]) or not self._is_from(given, metadata):
            return _failed("mixed-up")
        if "error" in given:
            return _failed("access_denied")
        tokens = self._exchange(metadata, given.get("code", ""), handle)
        if tokens is None:
            return _failed("mixed-up")
        claims = self._claims(tokens.get("id_token"), keys, nonce=handle["nonce"])
        if claims is None:
            return _failed("mixed-up")
        person = self._ask(metadata, tokens.get("access_token"))
        if person.get("sub") != claims["sub"]:
            return _failed("mixed-up")
        return _outcome(claims, person)

    def health(self) -> bool:
        """Is the provider's description to be had?"""
        try:
            self._provider()
        except OutsideFailed:
            return False
        return True

    def _is_from(self, given: Mapping[str, str], metadata: Mapping[str, Any]) -> bool:
        says = given.get("iss")
        if says is None:  # a provider that promises it always sends it
            return not metadata.get("authorization_response_iss_parameter_supported", False)
        return says == self.issuer

    def _provider(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """Its description and keys, an hour old at most.

        Raises:
            OutsideFailed: not to be had, or of another provider.
        """
        now = self.clock.now()
        with self._lock:
            if self._known is None or anew or now - self._known[0] > METADATA_KEPT:
                metadata = self._get("/.well-known/openid-configuration")
                ours = all(
                    str(metadata.get(name, "")).startswith(f"{self.issuer}/")
                    for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint")
                )
                if metadata.get("issuer") != self.issuer or not ours:
                    log.error("the province's provider calls itself otherwise")
                    raise OutsideFailed
                keys = self._get(self._path(metadata["jwks_uri"]))
                try:
                    self._known = (now, metadata, KeySet.import_key_set(keys))  # type: ignore[arg-type]
                except (JoseError, ValueError) as error:
                    raise OutsideFailed from error
            return self._known[1], self._known[2]

    def _path(self, address: str) -> str:
        return address.removeprefix(self.issuer)

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            found = self.client.get(path, headers=headers)
        except (Unavailable, Answered) as error:
            raise OutsideFailed from error
        if not isinstance(found, dict):
            raise OutsideFailed
        return found

    def _exchange(
        self, metadata: Mapping[str, Any], code: str, handle: Mapping[str, str]
    ) -> dict[str, Any] | None:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": handle["back"],
            "code_verifier": handle["verifier"],
        }
        secret = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        basic = base64.b64encode(secret.encode()).decode()
        path = self._path(metadata["token_endpoint"])
        try:
            found = self.client.post(path, form=form, headers={"Authorization": f"Basic {basic}"})
        except Answered:
            return None  # spent, old, or not for us
        except Unavailable as error:
            raise OutsideFailed from error
        return found if isinstance(found, dict) else None

    def _claims(self, token: Any, keys: KeySet, *, nonce: str) -> dict[str, Any] | None:
        """The id token's claims, when everything about it is right (OpenID Core 3.1.3.7)."""
        if not isinstance(token, str):
            return None
        try:
            try:
                read = jwt.decode(token, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):  # its keys may have turned since we read them
                _, newer = self._provider(anew=True)
                read = jwt.decode(token, newer, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            return None
        claims = dict(read.claims)
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        now = self.clock.now().timestamp()
        times = [claims.get("exp"), claims.get("iat")]
        if not all(isinstance(t, int | float) for t in times) or not isinstance(audiences, list):
            return None
        right = (
            claims.get("iss") == self.issuer
            and self.client_id in audiences
            and (len(audiences) == 1 or claims.get("azp") == self.client_id)
            and claims["exp"] > now - LEEWAY_SECONDS
            and claims["iat"] <= now + LEEWAY_SECONDS
            and _same(str(claims.get("nonce", "")), nonce)
            and isinstance(claims.get("sub"), str)
        )
        return claims if right else None

    def _ask(self, metadata: Mapping[str, Any], token: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        return self._get(self._path(metadata["userinfo_endpoint"]), headers)


def _outcome(claims: Mapping[str, Any], person: Mapping[str, Any]) -> Outcome:
    kind = KINDS.get(str(person.get("account_type")))
    level = claims.get("level", person.get("level", 0))
    texts = {n: person.get(n) for n in ("name", "id_number")}
    good = all(isinstance(t, str) and 0 < len(t) <= LONGEST_CLAIM for t in texts.values())
    if kind is None or not good or level not in LEVELS:
        return _failed("unusable")
    said = orjson.dumps({**claims, **person}, option=orjson.OPT_SORT_KEYS)
    proof = Proof(
        provider=PROVIDER,
        reference=hashlib.sha256(said).hexdigest()[:32],
        kind=kind,
        name=str(texts["name"]),
        number=str(texts["id_number"]),
        answer_hash=hashlib.sha256(said).digest(),
        level=int(level),
        phone=str(person.get("phone_number") or "")[:LONGEST_CLAIM],
        subject=str(claims["sub"])[:LONGEST_CLAIM],
    )
    return Verified(proof)


def _failed(code: str) -> Failed:
    return Failed(code, FAILURES[code])


def _same(sent: str, known: str) -> bool:
    return hmac.compare_digest(sent.encode(), known.encode())
