"""What may another system's client be: which addresses, keys, grants and scopes (RFC 9700)?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from identity.sign_in.dpop import is_short
from identity.sign_in.rules import SYSTEM_SCOPES, TEST_SCOPES, TOKEN_SCOPES
from servicekit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound

CODE: Final = "authorization_code"
REFRESH: Final = "refresh_token"
OWN: Final = "client_credentials"
GRANTS: Final = (CODE, REFRESH, OWN)
METHODS: Final = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
ALGORITHMS: Final = ("RS256", "ES256")
_LOOPBACK: Final = ("127.0.0.1", "[::1]")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
_NOT_ADDRESS: Final = "地址须为不含片段、用户信息和通配符的完整 https 地址"


class ClientRefused(Invalid):
    """Something in the registration is wrong; every place is named."""

    code = "client-refused"
    default_message = "接入系统的登记信息有误，请按提示修改"


class NoClient(NotFound):
    """No such client, or one of the suite's own."""

    code = "client-not-found"
    default_message = "未找到该接入系统"


class NoSecret(Conflict):
    """The client proves itself by a key, or not at all."""

    code = "client-without-secret"
    default_message = "该接入系统不使用密钥口令"


class ProvinceOnly(Forbidden):
    """Other systems are registered for the whole province."""

    code = "province-admin-required"
    default_message = "接入系统由省级管理员登记"


@dataclass(frozen=True, slots=True)
class Registration:
    """What an admin registers."""

    name: str
    auth_method: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    scopes: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = (CODE, REFRESH)
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    id_token_alg: str = ALGORITHMS[0]
    sector: str | None = None
    requires_par: bool = False
    requires_dpop: bool = False
    introspects: bool = False


def check(wanted: Registration, *, is_production: bool) -> str | None:
    """Check everything at once.

    Args:
        is_production: then plain http is for a native program's loopback address alone.

    Returns: the sector pairwise subjects are made for; None where nobody signs in.

    Raises:
        ClientRefused: naming each wrong field.
    """
    wrong: list[FieldError] = []
    _check_addresses(wanted, wrong, is_production)
    _check_grants(wanted, wrong)
    _check_keys(wanted, wrong)
    sector = _sector(wanted, wrong)
    if wrong:
        raise ClientRefused(fields=wrong)
    return sector


def is_address(uri: str, *, allows_loopback: bool) -> bool:
    """An absolute https address; http only on this very machine (RFC 8252, 7.3)."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    host = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(" \\*\"'<>")
    right = plain and not parts.fragment and "#" not in uri and "@" not in parts.netloc
    if not right or not host or ".." in parts.path:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and allows_loopback and host in _LOOPBACK


def _check_addresses(wanted: Registration, wrong: list[FieldError], is_production: bool) -> None:
    is_native = wanted.auth_method == "none"
    lists: Mapping[str, Sequence[str]] = {
        "redirect_uris": wanted.redirect_uris,
        "post_logout_redirect_uris": wanted.post_logout_redirect_uris,
    }
    for name, uris in lists.items():
        for place, uri in enumerate(uris):
            if not is_address(uri, allows_loopback=is_native or not is_production):
                wrong.append(FieldError(f"/{name}/{place}", "address-refused", _NOT_ADDRESS))
    for name in ("backchannel_logout_uri", "jwks_uri"):
        single: str | None = getattr(wanted, name)
        if single is not None and not is_address(single, allows_loopback=not is_production):
            wrong.append(FieldError(f"/{name}", "address-refused", _NOT_ADDRESS))
    if CODE in wanted.grant_types and not wanted.redirect_uris:
        wrong.append(FieldError("/redirect_uris", "address-missing", "请填写登录后返回的地址"))


def _check_grants(wanted: Registration, wrong: list[FieldError]) -> None:
    grants, scopes = set(wanted.grant_types), set(wanted.scopes)
    if not grants or not grants <= set(GRANTS) or (REFRESH in grants and CODE not in grants):
        wrong.append(FieldError("/grant_types", "grant-refused", "授权方式不在可登记的范围内"))
    if OWN in grants and wanted.auth_method == "none":
        wrong.append(FieldError("/grant_types", "grant-refused", "无口令的系统不能以自身名义调用"))
    if not scopes <= {*TOKEN_SCOPES, *SYSTEM_SCOPES, *TEST_SCOPES}:
        wrong.append(FieldError("/scopes", "scope-refused", "信息范围不在可登记的范围内"))
    if scopes & {*SYSTEM_SCOPES, *TEST_SCOPES} and OWN not in grants:
        wrong.append(FieldError("/scopes", "scope-refused", "接口权限只能授予以自身名义调用的系统"))
    if CODE in grants and "openid" not in scopes:
        wrong.append(FieldError("/scopes", "scope-refused", "登录类系统的信息范围须包含 openid"))
    if wanted.auth_method not in METHODS:
        wrong.append(FieldError("/auth_method", "method-refused", "请选择客户端认证方式"))
    if wanted.id_token_alg not in ALGORITHMS:
        wrong.append(FieldError("/id_token_alg", "algorithm-refused", "算法须为 RS256 或 ES256"))


def _check_keys(wanted: Registration, wrong: list[FieldError]) -> None:
    given = (wanted.jwks is not None) + (wanted.jwks_uri is not None)
    if wanted.auth_method == "private_key_jwt" and given != 1:
        wrong.append(FieldError("/jwks", "keys-missing", "请登记公钥或公钥地址，二者择一"))
    elif wanted.jwks is not None and not _are_public_keys(wanted.jwks):
        wrong.append(
            FieldError(
                "/jwks", "keys-refused", "须为公钥集：P-256，或 2048 位以上 RSA，kid 各不相同"
            )
        )


def _are_public_keys(jwks: Mapping[str, Any]) -> bool:
    try:
        if any(each["kty"] not in ("EC", "RSA") or is_short(each) for each in jwks["keys"]):
            return False  # a shared key is no public one
        keys = KeySet.import_key_set(dict(jwks)).keys  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    ids = [key.kid for key in keys]
    return bool(keys) and len(set(ids)) == len(ids) and all(_is_public_key(key) for key in keys)


def _is_public_key(key: Any) -> bool:
    if isinstance(key, ECKey):
        return not key.is_private and key.curve_name == "P-256"
    return isinstance(key, RSAKey) and not key.is_private


def _sector(wanted: Registration, wrong: list[FieldError]) -> str | None:
    """OpenID Core 8.1: the one host of all addresses, or the one that was named."""
    if CODE not in wanted.grant_types:
        return None
    hosts = {urlsplit(uri).netloc for uri in wanted.redirect_uris}
    sector = wanted.sector or (next(iter(hosts)) if len(hosts) == 1 else None)
    if sector is None or not _HOST.fullmatch(sector):
        sentence = "返回地址分属多个域名时，须指定其中一个作为标识域"
        wrong.append(FieldError("/sector", "sector-missing", sentence))
    return sector
