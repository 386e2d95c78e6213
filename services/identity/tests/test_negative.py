"""What RFC 9700, 8725, 6819, 9126, 9449, 7523 and OpenID Core forbid: each refused."""

import base64
import hashlib
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from identity.accounts.model import Account

CALLBACK = "https://service.example/callback"
ISSUER = "http://127.0.0.1:8080/identity"
OTHER = ECKey.generate_key("P-256", {"kid": "partner-1"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "partner-1"}, private=True)
SHORT = {"kty": "RSA", "n": "3" * 170, "e": "AQAB"}  # 1024 bits
TOKEN = f"{ISSUER}/token"


@pytest.fixture(scope="module")
def stage(shared, shared_partner):
    """Systems of every kind, and one person who consented to all of them."""
    systems = {
        "basic": shared_partner(),
        "post": shared_partner(auth_method="client_secret_post"),
        "key": shared_partner(auth_method="private_key_jwt"),
        "native": shared_partner(
            auth_method="none",
            redirect_uris=(CALLBACK, "http://127.0.0.1/back"),
            sector="service.example",
        ),
        "bound": shared_partner(auth_method="none", requires_dpop=True),
        "par": shared_partner(requires_par=True),
        "other": shared_partner(),
    }
    person = shared.registers()
    browser = shared.browser().signs_in(person)
    for system in systems.values():
        system.browser = browser
        if system is not systems["par"]:
            system.code()
    systems["world"], systems["person"] = shared, person
    return systems


def b64(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


# --- the authorization endpoint: refused to the client, or on a page where no client is sure -----

PAGE = None  # a page of ours: the address of the client is not believed

AUTHORIZE = [
    ("no client (6749 4.1.2.1)", "basic", {"client_id": None}, PAGE),
    ("unknown client", "basic", {"client_id": "nobody"}, PAGE),
    ("no address (9700 2.1)", "basic", {"redirect_uri": None}, PAGE),
    ("another address", "basic", {"redirect_uri": "https://evil.example/callback"}, PAGE),
    ("a longer path (9700 4.1.1)", "basic", {"redirect_uri": CALLBACK + "/x"}, PAGE),
    ("a query added", "basic", {"redirect_uri": CALLBACK + "?next=https://evil.example"}, PAGE),
    ("a fragment added", "basic", {"redirect_uri": CALLBACK + "#x"}, PAGE),
    ("another port", "basic", {"redirect_uri": "https://service.example:444/callback"}, PAGE),
    ("another scheme", "basic", {"redirect_uri": "http://service.example/callback"}, PAGE),
    ("upper case", "basic", {"redirect_uri": "https://service.example/CALLBACK"}, PAGE),
    ("a dot too many", "basic", {"redirect_uri": "https://service.example./callback"}, PAGE),
    ("a path that climbs", "basic", {"redirect_uri": CALLBACK + "/../evil"}, PAGE),
    ("user and host", "basic", {"redirect_uri": "https://service.example@evil.example/"}, PAGE),
    ("a subdomain", "basic", {"redirect_uri": "https://a.service.example/callback"}, PAGE),
    ("encoded letters", "basic", {"redirect_uri": "https://service.example/%63allback"}, PAGE),
    (
        "localhost for loopback (8252 8.3)",
        "native",
        {"redirect_uri": "http://localhost/back"},
        PAGE,
    ),
    ("no response type", "basic", {"response_type": None}, "unsupported_response_type"),
    ("implicit (9700 2.1.2)", "basic", {"response_type": "token"}, "unsupported_response_type"),
    ("hybrid", "basic", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("id_token alone", "basic", {"response_type": "id_token"}, "unsupported_response_type"),
    ("no PKCE (9700 2.1.1)", "basic", {"code_challenge": None}, "invalid_request"),
    ("no PKCE, public", "native", {"code_challenge": None}, "invalid_request"),
    ("plain PKCE", "basic", {"code_challenge_method": "plain"}, "invalid_request"),
    ("PKCE method left out", "basic", {"code_challenge_method": None}, "invalid_request"),
    ("a short challenge (7636 4.2)", "basic", {"code_challenge": "short"}, "invalid_request"),
    ("unknown scope", "basic", {"scope": "openid everything"}, "invalid_scope"),
    ("a system's scope", "basic", {"scope": "openid accounts.match"}, "invalid_scope"),
    ("a novel as nonce", "basic", {"nonce": "n" * 401}, "invalid_request"),
    ("fragment mode", "basic", {"response_mode": "fragment"}, "invalid_request"),
    ("form_post mode", "basic", {"response_mode": "form_post"}, "invalid_request"),
    ("a request object", "basic", {"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
    ("none and login", "basic", {"prompt": "none login"}, "invalid_request"),
    ("an unknown prompt", "basic", {"prompt": "create"}, "invalid_request"),
    ("a negative age", "basic", {"max_age": "-1"}, "invalid_request"),
    ("an age in words", "basic", {"max_age": "soon"}, "invalid_request"),
    ("broken claims", "basic", {"claims": "{"}, "invalid_request"),
    ("claims of no object", "basic", {"claims": '{"id_token": []}'}, "invalid_request"),
    ("a thumbprint that is none", "basic", {"dpop_jkt": "x"}, "invalid_request"),
    (
        "an essential level out of reach",
        "basic",
        {
            "prompt": "none",
            "claims": '{"id_token":{"acr":{"essential":true,"values":["urn:gdhrss:ial:3"]}}}',
        },
        "unmet_authentication_requirements",
    ),
    (
        "a scale that is not the person's",
        "basic",
        {"claims": '{"id_token":{"acr":{"essential":true,"value":"urn:gdprov:ial:3"}}}'},
        "unmet_authentication_requirements",
    ),
    (
        "somebody else hinted at",
        "basic",
        {"prompt": "none", "id_token_hint": "x"},
        "login_required",
    ),
    ("not pushed (9126 5)", "par", {}, "invalid_request"),
]


@pytest.mark.req("ID-40", "ID-47")
@pytest.mark.parametrize(
    ("what", "who", "changes", "error"), AUTHORIZE, ids=[c[0] for c in AUTHORIZE]
)
def test_an_authorization_request_is_refused(stage, tell, what, who, changes, error):
    system = stage[who]
    answer = system.goes(**system.asks(**changes))
    if error is PAGE:
        assert answer.status_code == 400
        assert answer.location is None
        assert "无法继续登录" in answer.text
        return
    assert answer.status_code == 302, answer.text
    assert answer.location.startswith(CALLBACK)
    said = tell.query(answer.location)
    assert (said["error"], said["state"], said["iss"]) == (error, "a-state", ISSUER)
    assert "code" not in said


@pytest.mark.req("ID-40")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "nonce", "prompt"])
def test_a_parameter_given_twice_is_refused(stage, tell, name):
    from urllib.parse import urlencode

    system = stage["basic"]
    said = system.asks(prompt="login")
    asked = [*said.items(), (name, said[name])]
    answer = system.browser.get(f"/identity/authorize?{urlencode(asked)}")
    if answer.status_code == 302 and answer.location.startswith(CALLBACK):
        assert tell.query(answer.location)["error"] == "invalid_request"
    else:
        assert answer.status_code in (303, 400)
        assert name in ("client_id", "redirect_uri", "prompt") or answer.status_code == 400


@pytest.mark.req("ID-47")
def test_a_request_uri_is_used_by_its_client_alone(stage):
    uri = stage["par"].pushes().json["request_uri"]
    other, own = stage["basic"], stage["par"]
    for client_id, given in (
        (other.id, uri),
        ("nobody", uri),
        (own.id, uri + "x"),
        (own.id, "https://evil.example/request.jwt"),
        (own.id, "urn:ietf:params:oauth:request_uri:"),
    ):
        assert other.goes(client_id=client_id, request_uri=given).status_code == 400


# --- the token endpoint --------------------------------------------------------------------------

TOKENS = [
    ("no grant type", {"grant_type": None}, "unsupported_grant_type"),
    ("password (9700 2.4)", {"grant_type": "password"}, "unsupported_grant_type"),
    ("implicit", {"grant_type": "implicit"}, "unsupported_grant_type"),
    ("a grant it has not", {"grant_type": "client_credentials"}, "unauthorized_client"),
    (
        "an exchange it may not",
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
        "unauthorized_client",
    ),
    ("no code", {"code": None}, "invalid_request"),
    ("an unknown code", {"code": "nothing-like-it"}, "invalid_grant"),
    ("no address", {"redirect_uri": None}, "invalid_grant"),
    ("another address (9700 4.5)", {"redirect_uri": CALLBACK + "/x"}, "invalid_grant"),
    ("no verifier (9700 2.1.1)", {"code_verifier": None}, "invalid_request"),
    ("another verifier", {"code_verifier": "w" * 43}, "invalid_grant"),
    ("a short verifier (7636 4.1)", {"code_verifier": "v"}, "invalid_request"),
    (
        "the challenge as verifier",
        {"code_verifier": b64(hashlib.sha256(b"v" * 43).digest())},
        "invalid_grant",
    ),
]


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(("what", "changes", "error"), TOKENS, ids=[c[0] for c in TOKENS])
def test_an_exchange_is_refused_and_uses_no_code_up(stage, what, changes, error):
    system = stage["basic"]
    code = system.code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43,
    } | changes
    answer = system.posts("token", **{n: v for n, v in form.items() if v is not None})
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert system.exchanges(code).status_code == 200


@pytest.mark.req("ID-40")
def test_a_code_is_its_clients_alone_and_used_once(stage):
    code = stage["basic"].code()
    assert stage["other"].exchanges(code).json["error"] == "invalid_grant"
    tokens = stage["basic"].exchanges(code).json
    stage["world"].clock.advance(seconds=1)
    browser = stage["world"].browser().signs_in(stage["person"])
    stage["basic"].browser, kept = browser, stage["basic"].browser
    again = stage["basic"].code()
    first = stage["basic"].exchanges(again).json
    assert stage["basic"].exchanges(again).json["error"] == "invalid_grant"
    renewed = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert stage["basic"].posts("token", **renewed).json["error"] == "invalid_grant"
    stage["basic"].browser = kept
    renewed["refresh_token"] = tokens["refresh_token"]
    assert stage["other"].posts("token", **renewed).json["error"] == "invalid_grant"
    assert stage["basic"].posts("token", **renewed).status_code == 200
    wide = {"grant_type": "refresh_token", "scope": "openid profile phone real_name"}
    wider = stage["basic"].posts("token", **wide, refresh_token=tokens["refresh_token"])
    assert wider.json["error"] == "invalid_scope"


@pytest.mark.req("ID-40")
def test_parameters_come_once_and_in_the_body(stage):
    from urllib.parse import urlencode

    system = stage["basic"]
    headers, _ = system.authenticated({})
    form = {"grant_type": "authorization_code", "code": system.code(), "redirect_uri": CALLBACK}
    for path, sent in (
        (f"/identity/token?{urlencode(form)}", {"code_verifier": "v" * 43}),
        ("/identity/token", [*form.items(), ("code", "x"), ("code_verifier", "v" * 43)]),
    ):
        from werkzeug.datastructures import MultiDict

        answer = system.browser.post(path, MultiDict(sent), headers=headers)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert system.browser.get(f"/identity/token?{urlencode(form)}").status_code == 405


# --- client authentication -----------------------------------------------------------------------

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def unsigned(claims):
    return f"{b64({'alg': 'none'})}.{b64(claims)}."


def confused(system):
    """The public key taken for a shared secret (8725 2.1)."""
    key = OctKey.import_key(json.dumps(system.signing.as_dict(private=False)).encode())
    claims = {"iss": system.id, "sub": system.id, "aud": ISSUER, "exp": 2**31, "jti": "x"}
    return jwt.encode({"alg": "HS256", "kid": "partner-1"}, claims, key, algorithms=["HS256"])


ASSERTIONS = [
    ("signed by another key", lambda s: s.assertion(key=OTHER)),
    ("not signed (8725 2.1)", lambda s: unsigned({"iss": s.id, "sub": s.id, "aud": ISSUER})),
    ("keys confused (8725 2.1)", confused),
    (
        "its own key brought along",
        lambda s: s.assertion(key=OTHER, header={"jwk": OTHER.as_dict(private=False)}),
    ),
    ("a key pointed to", lambda s: s.assertion(header={"jku": "https://evil.example/keys"})),
    ("another kid", lambda s: s.assertion(header={"kid": "partner-2"})),
    ("another algorithm", lambda s: s.assertion(key=RSA, header={"alg": "RS256"})),
    ("expired", lambda s: s.assertion(exp=int(s.world.clock.now().timestamp()) - 1)),
    ("for a year", lambda s: s.assertion(exp=int(s.world.clock.now().timestamp()) + 31_536_000)),
    ("no end", lambda s: s.assertion(exp=None)),
    ("no jti", lambda s: s.assertion(jti=None)),
    ("another issuer", lambda s: s.assertion(iss="somebody")),
    ("another subject", lambda s: s.assertion(sub="somebody")),
    ("another audience (8725 3.9)", lambda s: s.assertion(aud="https://evil.example")),
    ("two audiences", lambda s: s.assertion(aud=[ISSUER, "https://evil.example"])),
    ("not yet", lambda s: s.assertion(nbf=int(s.world.clock.now().timestamp()) + 600)),
    ("no JWT", lambda s: "x.y.z"),
    ("nothing", lambda s: ""),
]


@pytest.mark.req("ID-47")
@pytest.mark.parametrize(("what", "make"), ASSERTIONS, ids=[c[0] for c in ASSERTIONS])
def test_a_client_assertion_is_refused(stage, what, make):
    system = stage["key"]
    answer = system.posts(
        "token",
        plain=True,
        grant_type="refresh_token",
        refresh_token="x",
        client_id=system.id,
        client_assertion_type=KIND,
        client_assertion=make(system),
    )
    assert answer.json["error"] == "invalid_client"
    assert answer.status_code in (400, 401)


@pytest.mark.req("ID-40")
def test_a_client_proves_itself_in_the_registered_way_and_in_one_way(stage):
    basic, post, key, native = (stage[name] for name in ("basic", "post", "key", "native"))
    renew = {"grant_type": "refresh_token", "refresh_token": "x"}
    header = {
        "Authorization": "Basic " + base64.b64encode(f"{post.id}:{post.secret}".encode()).decode()
    }
    browser = basic.browser
    cases = (
        ({}, {"client_id": basic.id, "client_secret": basic.secret}, "invalid_client"),
        (header, {}, "invalid_client"),
        ({}, {"client_id": basic.id}, "invalid_client"),
        ({}, {"client_id": key.id}, "invalid_client"),
        ({}, {"client_id": native.id, "client_secret": "x"}, "invalid_client"),
        ({}, {"client_id": post.id, "client_secret": ""}, "invalid_client"),
        ({}, {}, "invalid_client"),
        (header, {"client_id": post.id, "client_secret": post.secret}, "invalid_request"),
        (header, {"client_assertion": key.assertion()}, "invalid_request"),
        (
            {},
            {
                "client_id": basic.id,
                "client_assertion": key.assertion(),
                "client_assertion_type": KIND,
            },
            "invalid_client",
        ),
    )
    for headers, more, error in cases:
        answer = browser.post("/identity/token", renew | more, headers=headers)
        assert answer.json["error"] == error, more
    unknown = {"Authorization": "Basic " + base64.b64encode(b"nobody:x").decode()}
    for path in ("token", "revoke", "introspect", "par"):
        answer = browser.post(f"/identity/{path}", {"token": "x"} | renew, headers=unknown)
        assert answer.json["error"] == "invalid_client"
    assert native.posts("introspect", token="x").json["error"] == "invalid_client"


# --- DPoP ----------------------------------------------------------------------------------------


def now_of(system):
    return int(system.world.clock.now().timestamp())


def with_private(system):
    return system.proof(TOKEN, header={"jwk": system.key.as_dict(private=True)})


PROOFS = [
    ("no JWT", lambda s: "x"),
    ("another type (8725 3.11)", lambda s: s.proof(TOKEN, header={"typ": "JWT"})),
    (
        "another key than signed",
        lambda s: s.proof(TOKEN, header={"jwk": OTHER.as_dict(private=False)}),
    ),
    ("the private key in it", with_private),
    ("a key pointed to", lambda s: s.proof(TOKEN, header={"jku": "https://evil.example/k"})),
    ("another method", lambda s: s.proof(TOKEN, htm="GET")),
    ("another address", lambda s: s.proof(f"{ISSUER}/par")),
    ("another host", lambda s: s.proof("https://evil.example/identity/token")),
    ("too old", lambda s: s.proof(TOKEN, iat=now_of(s) - 61)),
    ("from the future", lambda s: s.proof(TOKEN, iat=now_of(s) + 61)),
    ("no time", lambda s: s.proof(TOKEN, iat=None)),
    ("no jti", lambda s: s.proof(TOKEN, jti=None)),
    ("a jti without end", lambda s: s.proof(TOKEN, jti="j" * 201)),
    ("not signed", lambda s: ".".join([b64({"typ": "dpop+jwt", "alg": "none"}), b64({}), ""])),
    (
        "a short key",
        lambda s: b64({"typ": "dpop+jwt", "alg": "RS256", "jwk": SHORT}) + ".e30.AA",
    ),
]


@pytest.mark.req("ID-47")
@pytest.mark.parametrize(("what", "make"), PROOFS, ids=[c[0] for c in PROOFS])
def test_a_proof_is_refused(stage, what, make):
    system = stage["bound"]
    renew = {"grant_type": "refresh_token", "refresh_token": "x"}
    system.posts("token", dpop=True, **renew)  # fetches a nonce
    answer = system.posts("token", dpop=make(system), **renew)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.req("ID-47")
def test_a_proof_is_used_once_and_with_our_nonce(stage):
    system = stage["bound"]
    renew = {"grant_type": "refresh_token", "refresh_token": "x"}
    system.posts("token", dpop=True, **renew)
    once = system.proof(TOKEN)
    assert system.posts("token", dpop=once, **renew).json["error"] == "invalid_grant"
    assert system.posts("token", dpop=once, **renew).json["error"] == "invalid_dpop_proof"
    for nonce in (None, "made-up"):
        answer = system.posts("token", dpop=system.proof(TOKEN, nonce=nonce), **renew)
        assert answer.json["error"] == "use_dpop_nonce"
        assert answer.headers["DPoP-Nonce"]
    assert system.posts("token", **renew).json["error"] == "invalid_dpop_proof"


# --- pushed requests -----------------------------------------------------------------------------

PUSHES = [
    ("a request in the request", {"request_uri": "urn:x"}, "invalid_request"),
    ("a request object", {"request": "x"}, "invalid_request"),
    ("another client's", {"client_id": "somebody"}, "invalid_request"),
    ("another address", {"redirect_uri": "https://evil.example/"}, "invalid_request"),
    ("no PKCE", {"code_challenge": None}, "invalid_request"),
    ("implicit", {"response_type": "token"}, "unsupported_response_type"),
    ("unknown scope", {"scope": "openid everything"}, "invalid_scope"),
    ("an unknown prompt", {"prompt": "create"}, "invalid_request"),
    ("broken claims", {"claims": "x"}, "invalid_request"),
]


@pytest.mark.req("ID-47")
@pytest.mark.parametrize(("what", "changes", "error"), PUSHES, ids=[c[0] for c in PUSHES])
def test_a_push_is_refused_with_an_answer_and_no_redirect(stage, what, changes, error):
    system = stage["basic"]
    asked = {n: v for n, v in (system.asks() | changes).items() if v is not None}
    answer = system.posts("par", **asked)
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert answer.location is None


# --- tokens that are no access tokens ------------------------------------------------------------


def tampered(text):
    head, body, signature = text.split(".")
    return f"{head}.{body}.{signature[:-6]}{'B' if signature[-6] == 'A' else 'A'}{signature[-5:]}"


@pytest.mark.req("ID-40")
def test_userinfo_takes_access_tokens_of_ours_alone(stage):
    system = stage["basic"]
    tokens = system.exchanges(system.code()).json
    access = tokens["access_token"]
    _, body, signature = access.split(".")
    forged = jwt.encode({"alg": "ES256", "kid": "x", "typ": "at+jwt"}, {"sub": "x"}, OTHER)
    for text in (
        tokens["id_token"],  # 8725 3.11: one kind of token is not another
        tokens["refresh_token"],
        tampered(access),
        f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        f"{b64({'alg': 'HS256', 'typ': 'at+jwt'})}.{body}.{signature}",
        forged,
        "",
        "a.b.c",
    ):
        answer = system.userinfo(text)
        assert answer.status_code == 401, text
        assert "WWW-Authenticate" in answer.headers
    assert system.userinfo(access).status_code == 200
    assert system.userinfo(access, "Basic").status_code == 401
    query = system.browser.get(f"/identity/userinfo?access_token={access}")
    assert query.status_code == 401  # 9700 4.3.2: never in an address
    with stage["world"].app.database.reading() as db:
        assert db.get(Account, stage["person"].id) is not None


def test_there_are_more_than_sixty(stage):
    tables = (AUTHORIZE, TOKENS, ASSERTIONS, PROOFS, PUSHES)
    assert sum(len(table) for table in tables) >= 60
