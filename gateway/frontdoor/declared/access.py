"""Directives about who may come in, and how often."""

from __future__ import annotations

from typing import Final

from frontdoor.declared import EVERYWHERE, MANY, flag
from frontdoor.directives import Directive

_KEYS: Final = "$binary_remote_addr | $jwt_claim_sub | $jwt_claim_client_id | $server_name"

LIMITS: Final = (
    Directive(
        "limit_req_zone",
        ("http",),
        f"{_KEYS} zone=name:size rate=n r/s|r/m",
        (3, 3),
        "A shared memory of how often each key asked; $jwt_claim_… are NGINX Plus's.",
        many=True,
    ),
    Directive(
        "limit_req",
        EVERYWHERE,
        "zone=name [burst=n nodelay]",
        (1, 3),
        "Refuses what comes faster than the zone's rate and the burst; nothing is delayed.",
        many=True,
    ),
    Directive(
        "limit_req_status",
        EVERYWHERE,
        "code",
        (1, 1),
        "The status of a refusal by limit_req.",
        default="503",
    ),
    flag(
        "limit_req_headers",
        EVERYWHERE,
        "Tells clients in RateLimit and RateLimit-Policy what is left to them.",
        like="ours",
    ),
    Directive(
        "limit_conn_zone",
        ("http",),
        f"{_KEYS} zone=name:size",
        (2, 2),
        "A shared memory of how many requests each key has in hand.",
        many=True,
    ),
    Directive(
        "limit_conn",
        EVERYWHERE,
        "zone number",
        (2, 2),
        "Refuses more requests in hand than the number.",
        many=True,
    ),
    Directive(
        "limit_conn_status",
        EVERYWHERE,
        "code",
        (1, 1),
        "The status of a refusal by limit_conn.",
        default="503",
    ),
)

TOKENS: Final = (
    Directive(
        "auth_jwt",
        EVERYWHERE,
        "realm | off",
        (1, 1),
        "Needs a valid access token, as a bearer, with DPoP or from the browser's session.",
        like="NGINX Plus",
        default="off",
    ),
    flag(
        "auth_jwt_optional",
        EVERYWHERE,
        "Lets a request without a token pass; one that comes along is still checked.",
        like="ours",
    ),
    Directive(
        "auth_jwt_key_request",
        ("http",),
        "path",
        (1, 1),
        "Where identity (FRONTDOOR_IDENTITY_URL) shows its keys.",
        like="NGINX Plus",
        default="/identity/jwks.json",
    ),
    Directive(
        "auth_jwt_revocations",
        ("http",),
        "http://upstream/path",
        (1, 1),
        "Who lists ended sessions, accounts, bindings and keys; asked at start and after silences.",
        like="ours",
        many=True,
    ),
    Directive(
        "auth_jwt_audience",
        EVERYWHERE,
        "name …",
        (1, 8),
        "The audiences a token may be for.",
        like="ours",
        default="urn:jiuye:api",
    ),
    Directive(
        "auth_jwt_level",
        EVERYWHERE,
        "acr … | off",
        (1, 8),
        "The least level on each scale (urn:gdhrss:ial:2 urn:gdprov:ial:3); what is on no scale"
        " named is refused.",
        like="ours",
        default="off",
    ),
    Directive(
        "auth_jwt_kind",
        EVERYWHERE,
        "person | unit | officer | system … | off",
        (1, 4),
        "Whose tokens count (sub_type).",
        like="ours",
        default="off",
    ),
    Directive(
        "browser_session",
        ("location",),
        "login | callback | logout | back-channel-logout | act | leave | show",
        (1, 1),
        "Answers as that step of a browser's session.",
        like="ours",
    ),
    Directive(
        "browser_session_mandates",
        ("http",),
        "http://upstream/path",
        (1, 1),
        "Who signs mandates: a browser's session acts for a unit with one.",
        like="ours",
    ),
    Directive(
        "allow",
        EVERYWHERE,
        "address | network | all",
        (1, 1),
        "Who may come; the first allow or deny that fits decides.",
        many=True,
    ),
    Directive(
        "deny",
        EVERYWHERE,
        "address | network | all",
        (1, 1),
        "Who may not come.",
        many=True,
    ),
)

CORS: Final = (
    Directive(
        "cors_origin",
        EVERYWHERE,
        "origin … | * | off",
        (1, MANY),
        "Other sites whose pages may ask (* is any), with their own token, never our cookies.",
        like="ours",
        default="off",
    ),
    Directive(
        "cors_methods",
        EVERYWHERE,
        "method …",
        (1, 7),
        "Methods they may use.",
        like="ours",
        default="GET HEAD POST PUT PATCH DELETE",
    ),
    Directive(
        "cors_headers",
        EVERYWHERE,
        "name …",
        (1, MANY),
        "Fields they may send.",
        like="ours",
        default="Authorization Content-Type Idempotency-Key If-Match",
    ),
    Directive(
        "cors_expose",
        EVERYWHERE,
        "name …",
        (1, MANY),
        "Fields of the answer they may read.",
        like="ours",
        default="ETag Location Retry-After X-Request-Id",
    ),
    Directive(
        "cors_max_age",
        EVERYWHERE,
        "time",
        (1, 1),
        "How long a browser remembers the permission.",
        like="ours",
        default="10m",
    ),
)
