"""A browser logs in, works, is renewed, and logs out; no token ever reaches its scripts (GW-02)."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import pytest
from joserfc import jwt
from joserfc.jws import extract_compact

from frontdoor.logout_tokens import EVENT
from frontdoor.sealing import Sealer, joined
from frontdoor.shared_ends import SharedEnds
from frontdoor.testing.browser import Browser
from frontdoor.testing.provider import LIN, SESSION, new_key
from frontdoor.testing.running import Answer

PAGE = {"Accept": "text/html"}
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(suite) -> Browser:
    return Browser(suite.gateway)


@pytest.mark.req("GW-02", "ID-40")
def test_a_person_logs_in_works_and_logs_out(suite, browser) -> None:
    sent = browser.ask("/api/mine?x=1", fields=PAGE)
    assert sent.one("location") == "/sso/login?return_to=%2Fapi%2Fmine%3Fx%3D1"
    done = browser.log_in("%2Fapi%2Fmine%3Fx%3D1")
    assert (done.status, done.one("location")) == (303, "/api/mine?x=1")
    assert set(browser.cookies) == {"__Host-jiuye"}
    assert browser.ask("/api/mine", fields={"Cookie-Other": "1"}).status == 200
    (request,) = suite.service.received
    assert request.one("authorization").startswith("Bearer ey")
    assert request.one("cookie") is None
    shown = orjson.loads(browser.ask("/sso/session").body)
    assert shown == {
        "logged_in": True, "subject": LIN, "kind": "person", "level": "urn:gdhrss:ial:2",
    }  # fmt: skip
    form = browser.ask("/sso/logout", fields=PAGE)
    assert form.status == 200
    assert '<form method="post"' in form.body.decode()
    end = browser.ask("/sso/logout", "POST", SAME)
    where = urlsplit(end.one("location"))
    query = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert where.path == "/identity/logout"
    assert query["post_logout_redirect_uri"] == f"{suite.gateway.public_url}/"
    assert query["id_token_hint"].count(".") == 2
    assert browser.cookies == {}
    assert orjson.loads(browser.ask("/sso/session").body) == {"logged_in": False}
    assert browser.ask("/api/mine").status == 401


@pytest.mark.req("GW-02")
def test_identity_is_asked_as_oauth_2_1_wants_it(suite, browser) -> None:
    first = browser.ask("/sso/login?return_to=/")
    query = {k: v[0] for k, v in parse_qs(urlsplit(first.one("location")).query).items()}
    assert query["redirect_uri"] == f"{suite.gateway.public_url}/sso/callback"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == len(query["state"]) == len(query["nonce"]) == 43
    assert query["client_id"] == "jiuye-gateway"
    assert "openid" in query["scope"].split()
    (cookie,) = first.all("set-cookie")
    assert "Max-Age=600" in cookie
    for secret in (query["state"], query["nonce"]):
        assert secret not in cookie


@pytest.mark.parametrize(
    "return_to",
    ["//evil.example", "/%5Cevil.example", "https://evil.example", "%2F%2Fevil", "evil", "",
     "/sso/logout", "/%0d%0aSet-Cookie:%20a=b", "/%09/evil.example", "javascript:alert(1)"],
)  # fmt: skip
def test_nobody_is_sent_anywhere_else_after_login(browser, return_to) -> None:
    assert browser.log_in(return_to).one("location") == "/"


def test_a_callback_nobody_asked_for_logs_nobody_in(suite, browser) -> None:
    victim, attacker = browser, Browser(suite.gateway)
    first = attacker.ask("/sso/login?return_to=/")
    back = attacker.go(first.one("location")).one("location")
    assert victim.go(back).status == 400  # login CSRF: the state is the attacker's browser's
    assert victim.cookies == {}
    changed = back.replace("state=", "state=A")
    assert attacker.go(changed).status == 400
    foreign = back.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F")
    assert attacker.go(foreign).status == 400
    refused = attacker.go(back.replace("code=", "error=access_denied&was="))
    assert "重新登录" in refused.body.decode()
    assert attacker.go(back).status == 303
    assert Browser(suite.gateway).go(back).status == 400


def test_a_login_that_took_too_long_begins_again(suite, browser) -> None:
    first = browser.ask("/sso/login?return_to=/")
    back = browser.go(first.one("location")).one("location")
    suite.gateway.clock.advance(601)
    assert browser.go(back).status == 400


def test_an_id_token_with_another_nonce_is_refused(suite, browser) -> None:
    first = browser.ask("/sso/login?return_to=/")
    back = browser.go(first.one("location")).one("location")
    (code,) = suite.provider.codes
    suite.provider.codes[code]["nonce"] = "another"
    assert browser.go(back).status == 400
    assert set(browser.cookies).isdisjoint({"__Host-jiuye"})


def test_two_tabs_log_in_at_once(browser) -> None:
    first, second = (browser.ask(f"/sso/login?return_to=/{n}") for n in "ab")
    backs = [browser.go(answer.one("location")).one("location") for answer in (first, second)]
    assert [browser.go(back).one("location") for back in backs] == ["/a", "/b"]


@pytest.mark.req("GW-02")
def test_the_token_is_renewed_once_for_many_requests(suite, browser) -> None:
    browser.log_in()
    old = dict(browser.cookies)
    suite.gateway.clock.advance(280)
    answers: list[Answer] = []
    askers = [Browser(suite.gateway, dict(old)) for _ in range(12)]
    threads = [threading.Thread(target=lambda b=b: answers.append(b.ask("/api/x"))) for b in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {200}
    renewals = [f for f in suite.provider.token_requests if f["grant_type"] == "refresh_token"]
    assert len(renewals) == 1
    assert any(asker.cookies != old for asker in askers)
    late = Browser(suite.gateway, dict(old))
    assert late.ask("/api/x").status == 200  # still comes with the former cookie
    assert len({r.one("authorization") for r in suite.service.received}) == 1
    renewed = next(asker for asker in askers if asker.cookies != old)
    suite.gateway.clock.advance(280)
    assert renewed.ask("/api/x").status == 200
    assert orjson.loads(renewed.ask("/sso/session").body)["logged_in"]


@pytest.mark.req("GW-02", "ID-44")
def test_when_a_key_has_leaked_the_browser_is_given_another_token_in_silence(
    suite, browser
) -> None:
    browser.log_in()
    assert browser.ask("/api/x").status == 200
    leaked = suite.provider.keys[0].kid
    suite.provider.keys[:] = [new_key("second")]

    async def hear() -> None:
        suite.gateway.gateway.revocations.withdraw_key(leaked)

    suite.gateway.call(hear)
    assert browser.ask("/api/x").status == 200
    token = suite.service.received[-1].one("authorization").partition(" ")[2]
    assert extract_compact(token.encode()).headers()["kid"] == "second"
    assert orjson.loads(browser.ask("/sso/session").body)["logged_in"]
    renewals = [f for f in suite.provider.token_requests if f["grant_type"] == "refresh_token"]
    assert len(renewals) == 1


@pytest.mark.req("GW-02", "ID-43")
def test_a_session_identity_has_ended_ends_here(suite, browser) -> None:
    browser.log_in()
    suite.provider.refresh_tokens.clear()
    suite.gateway.clock.advance(280)
    got = browser.ask("/api/x", fields=PAGE)
    assert got.status == 302
    assert browser.cookies == {}
    assert browser.ask("/api/x").status == 401


def test_while_identity_is_away_a_token_serves_until_its_end(suite, browser) -> None:
    browser.log_in()
    suite.provider.away = True
    suite.gateway.clock.advance(280)
    assert browser.ask("/api/x").status == 200
    suite.gateway.clock.advance(30)
    assert browser.ask("/api/x").status == 503
    suite.provider.away = False
    assert browser.ask("/api/x").status == 200


OWN, OTHER = "own", "https://evil.example"
CSRF = [
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": OWN}, 200),
    ({"Origin": OWN}, 200),
    ({}, 403),
    ({"Origin": OTHER}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, 403),
    ({"Sec-Fetch-Site": "same-origin", "Origin": OTHER}, 403),
]


@pytest.mark.req("GW-02")
@pytest.mark.parametrize(("fields", "status"), CSRF)
def test_other_sites_cannot_act_with_the_cookie(suite, browser, fields, status) -> None:
    browser.log_in()
    fields = {k: suite.gateway.public_url if v == OWN else v for k, v in fields.items()}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert browser.ask("/api/x", method, fields).status == status
    assert browser.ask("/api/x", fields=fields).status == 200
    logout = browser.ask("/sso/logout", "POST", fields).status
    assert logout == (303 if status == 200 else 403)


def test_a_program_with_its_own_token_needs_no_origin(suite, browser) -> None:
    browser.log_in()
    fields = {"Authorization": f"Bearer {suite.provider.token(sub='program')}"}
    assert browser.ask("/api/x", "POST", fields, b"x").status == 200
    sent = suite.service.received[-1].one("authorization")
    assert sent == fields["Authorization"]


@pytest.mark.parametrize("change", ["flip", "cut", "swap", "empty", "nonsense"])
def test_a_changed_cookie_is_no_session(suite, browser, change) -> None:
    browser.log_in()
    value = browser.cookies["__Host-jiuye"]
    middle = len(value) // 2
    browser.cookies["__Host-jiuye"] = {
        "flip": value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :],
        "cut": value[:-5],
        "swap": value[100:] + value[:100],
        "empty": "",
        "nonsense": "%%%",
    }[change]
    assert browser.ask("/api/x").status == 401


def test_a_cookie_of_another_purpose_is_no_session(suite, browser) -> None:
    browser.ask("/sso/login?return_to=/")
    ((name, value),) = browser.cookies.items()
    assert name != "__Host-jiuye"
    browser.cookies["__Host-jiuye"] = value
    assert browser.ask("/api/x").status == 401


def test_long_sessions_are_spread_over_cookies_and_old_keys_still_open() -> None:
    old, new = bytes(32), bytes([1] * 32)
    value = b"x" * 7000
    cookies = Sealer([old]).seal("__Host-jiuye", value)
    assert len(cookies) == 3
    assert all(len(piece) <= 3800 for piece in cookies.values())
    held = {name.encode(): piece.encode() for name, piece in cookies.items()}
    text = joined("__Host-jiuye", held)
    assert Sealer([new, old]).open("__Host-jiuye", text) == value
    assert Sealer([new]).open("__Host-jiuye", text) is None
    assert Sealer([old]).open("__Host-other", text) is None
    del held[b"__Host-jiuye-1"]
    assert Sealer([old]).open("__Host-jiuye", joined("__Host-jiuye", held)) is None
    with pytest.raises(ValueError, match="too long"):
        Sealer([old]).seal("__Host-jiuye", b"x" * 20_000)


def test_a_piece_of_a_longer_session_does_not_spoil_a_shorter_one(suite, browser) -> None:
    browser.cookies["__Host-jiuye-1"] = "left-over"
    browser.log_in()
    assert set(browser.cookies) == {"__Host-jiuye"}
    assert browser.ask("/api/x").status == 200


def test_other_cookies_pass_and_ours_never_do(suite, browser) -> None:
    browser.log_in()
    browser.cookies |= {"theme": "large", "__Host-identity": "theirs"}
    for path in ("/api/x", "/open/x"):
        assert browser.ask(path).status == 200
        assert suite.service.received[-1].one("cookie") == "theme=large; __Host-identity=theirs"
    opened = suite.service.received[-1]
    assert opened.one("authorization") is None


def test_the_steps_take_their_methods_only(browser) -> None:
    assert browser.ask("/sso/login", "POST").status == 405
    assert browser.ask("/sso/logout", "DELETE").status == 405
    refused = browser.ask("/sso/session", "DELETE")
    assert (refused.status, refused.one("allow")) == (405, "GET, HEAD")


def logout_token(suite, header=(), **changes) -> str:
    provider = suite.provider
    now = int(provider.wall())
    claims = {
        "iss": provider.issuer, "aud": "jiuye-gateway", "sub": LIN, "sid": SESSION, "iat": now,
        "exp": now + 120, "jti": "1", "events": {EVENT: {}},
    } | changes  # fmt: skip
    found = {"alg": "ES256", "typ": "logout+jwt", "kid": provider.keys[-1].kid} | dict(header)
    return jwt.encode(found, {k: v for k, v in claims.items() if v is not None}, provider.keys[-1])


@pytest.mark.req("GW-02")
def test_identity_ends_a_browsers_session_from_behind(suite) -> None:
    browser = Browser(suite.gateway)
    browser.log_in()
    assert browser.ask("/api/x").status == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def tell(token: str, method: str = "POST") -> int:
        body = urlencode({"logout_token": token}).encode()
        return suite.gateway.ask("/sso/back-channel-logout", method, form, body).status

    for bad in (
        "x",
        logout_token(suite, iss="https://evil.example"),
        logout_token(suite, aud="another"),
        logout_token(suite, iat=1),
        logout_token(suite, exp=1),
        logout_token(suite, events={}),
        logout_token(suite, nonce="n"),
        logout_token(suite, sid=None),
        logout_token(suite, header={"typ": "JWT"}),
        logout_token(suite, header={"kid": "unknown"}),
        suite.provider.token(),
        "A" * 9000,
    ):
        assert tell(bad) == 400
    assert tell(logout_token(suite), "GET") == 405
    suite.gateway.sweep()
    assert browser.ask("/api/x").status == 200
    assert tell(logout_token(suite)) == 200
    suite.gateway.sweep()
    assert browser.ask("/api/x").status == 401


def test_a_notice_may_come_in_pieces_and_the_connection_goes_on(suite) -> None:
    body = urlencode({"logout_token": logout_token(suite)}).encode()
    head = (
        f"POST /sso/back-channel-logout HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with suite.gateway.connect() as client:
        for piece in (head.encode(), body[:10], body[10:]):
            client.sendall(piece)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        client.sendall(head.encode() + body)  # the connection goes on
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
    chunked = (
        "POST /sso/back-channel-logout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with suite.gateway.connect() as client:
        client.sendall(chunked.encode() + b"0\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_workers_tell_each_other_of_ended_sessions() -> None:
    ends = SharedEnds()
    assert list(ends.news()) == []
    for number in range(3):
        ends.tell(f"session-{number}")
    ends.tell("x" * 500)
    assert list(ends.news()) == ["session-0", "session-1", "session-2"]
    assert list(ends.news()) == []
    for number in range(5000):  # more than there is room for
        ends.tell(f"more-{number}")
    news = list(ends.news())
    assert len(news) == 4096
    assert news[-1] == "more-4999"
