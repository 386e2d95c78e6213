"""The certificate in wallets: OpenID4VCI 1.0 step by step, and every step that is refused."""

from __future__ import annotations

import base64
import copy
import json
import threading
import zlib
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier
from sqlalchemy import text

from employment_registry.app import JOBS
from servicekit import leaked_keys
from servicekit.jobs import JobContext
from servicekit.testing.racing import answers_at_once

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
ISSUER = "http://127.0.0.1:8080/api/employment-registry/v1"
WELL_KNOWN = "/.well-known/{}/api/employment-registry/v1"
BUSINESS = "employment-registry.certificate"
SERVICE = "employment-registry"
CONFIGURATION = "employment-certificate"
BATCH = 5


class Wallet:
    """A wallet as small as the tests need; the independent ones are in test_wallet_clients."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.client = desk, desk.app.test_client()
        self.token = ""

    def sends(self, path: str, body: Any = None, *, expect: int = 200, token: Any = True) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        answer = self.client.post(f"/wallet/{path}", json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json

    def redeems(self, offer: Any, expect: int = 200, **change: str | None) -> Any:
        form = {
            "grant_type": GRANT,
            "pre-authorized_code": code_of(offer),
            "tx_code": offer["transaction_code"],
        } | change
        kept = {name: value for name, value in form.items() if value is not None}
        answer = self.client.post("/wallet/token", data=kept)
        assert answer.status_code == expect, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        self.token = answer.json.get("access_token", self.token)
        return answer.json

    def nonce(self) -> str:
        return str(self.sends("nonce", token=False)["c_nonce"])

    def proof(self, key: ECKey | None = None, nonce: str | None = None, **change: Any) -> str:
        """A good proof, but for what is changed: ``aud``, ``iat``, ``header`` …"""
        key = key or ECKey.generate_key("P-256")
        header = {
            "alg": "ES256",
            "typ": "openid4vci-proof+jwt",
            "jwk": key.as_dict(private=False),
        } | change.pop("header", {})
        now = int(self.desk.clock.now().timestamp())
        claims = {"aud": ISSUER, "iat": now, "nonce": nonce or self.nonce()} | change
        kept = {name: value for name, value in claims.items() if value is not None}
        return signed(header, kept, key)

    def fetches(self, *proofs: str, expect: int = 200, **change: Any) -> Any:
        body = {
            "credential_configuration_id": "employment-certificate",
            "proofs": {"jwt": list(proofs or (self.proof(),))},
        } | change
        return self.sends("credential", body, expect=expect)


def signed(header: Any, claims: Any, key: ECKey) -> str:
    """A compact JWS by hand: a library would not write the wrong ones."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, claims)
    ]
    der = key.private_key.sign(b".".join(parts), ECDSA(SHA256()))
    raw = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
    return b".".join([*parts, base64.urlsafe_b64encode(raw).rstrip(b"=")]).decode()


def code_of(offer: Any) -> str:
    """The pre-authorized code, as a wallet reads it from the link."""
    said = json.loads(parse_qs(urlsplit(offer["link"]).query)["credential_offer"][0])
    return str(said["grants"][GRANT]["pre-authorized_code"])


def offered(person: Any) -> Any:
    """A fresh offer."""
    return person.done(person.post("certificates/current/wallet-offer"), 201)


def reads(desk: Any, credential: str, **expected: str) -> Any:
    """What the reference implementation of SD-JWT makes of it, with the published keys."""
    answer = desk.app.test_client().get(WELL_KNOWN.format("jwt-vc-issuer"))
    assert answer.json["issuer"] == ISSUER
    keys = {key["kid"]: JWK(**key) for key in answer.json["jwks"]["keys"]}
    verifier = SDJWTVerifier(credential, lambda issuer, header: keys[header["kid"]], **expected)
    return verifier.get_verified_payload()


def status(desk: Any, credential: str) -> int:
    """What the status list says of a copy a minute later."""
    desk.clock.advance(minutes=1)
    payload = jws.extract_compact(credential.partition("~")[0].encode()).payload
    place = json.loads(payload or b"")["status"]["status_list"]
    keys = KeySet.import_key_set(desk.visitor().get("certificate-keys").json)
    text = desk.visitor().get("certificate-status-list").text
    listed = jwt.decode(text, keys, algorithms=["ES256"]).claims["status_list"]
    packed = zlib.decompress(base64.urlsafe_b64decode(listed["lst"] + "=="))
    return packed[place["idx"] * 2 // 8] >> (place["idx"] * 2 % 8) & 0b11


@pytest.fixture
def lin(desk: Any) -> Any:
    """Registered as flexibly employed, and so with a certificate."""
    return desk.registered()[0]


@pytest.fixture
def wallet(desk: Any, lin: Any) -> Wallet:
    """A wallet that has taken up Lin's offer."""
    made = Wallet(desk)
    made.redeems(offered(lin))
    return made


@pytest.mark.req("ER-11")
def test_a_wallet_gets_a_copy_and_its_holder_shows_what_they_choose(
    desk: Any, lin: Any, wallet: Wallet
) -> None:
    key = JWK.generate(kty="EC", crv="P-256")
    [got] = wallet.fetches(wallet.proof(ECKey.import_key(json.loads(key.export()))))["credentials"]
    header = jws.extract_compact(got["credential"].partition("~")[0].encode()).headers()
    assert (header["typ"], header["alg"]) == ("dc+sd-jwt", "ES256")
    said = reads(desk, got["credential"])
    certificate = lin.get("certificates/current").json
    assert {name: said[name] for name in ("name", "sex", "birth_year", "number")} == {
        "name": "林小满",
        "sex": "male",
        "birth_year": 1990,
        "number": certificate["number"],
    }
    assert (said["iss"], said["vct"]) == (ISSUER, f"{ISSUER}/credential-types/{CONFIGURATION}")
    assert said["document_ends_with"] == lin.number[-4:]
    assert lin.number not in str(said)

    holder = SDJWTHolder(got["credential"])
    wish = {"number": True, "region_name": True}
    holder.create_presentation(wish, nonce="n-1", aud="https://verifier", holder_key=key)
    shown = holder.sd_jwt_presentation
    told = reads(desk, shown, expected_aud="https://verifier", expected_nonce="n-1")
    assert set(told) == {"iss", "iat", "exp", "vct", "cnf", "status", "number", "region_name"}
    with pytest.raises(ValueError, match="nonce"):
        reads(desk, shown, expected_aud="https://verifier", expected_nonce="n-2")
    assert status(desk, got["credential"]) == 0


@pytest.mark.req("ER-11")
def test_what_wallets_read_first_agrees_with_itself(desk: Any) -> None:
    client = desk.app.test_client()
    place = WELL_KNOWN.format("openid-credential-issuer")
    said = client.get(place)
    assert said.headers["Cache-Control"] == "public, max-age=300"
    issuer, [offered_kind] = said.json, said.json["credential_configurations_supported"].values()
    assert issuer["credential_issuer"] == ISSUER
    assert "authorization_servers" not in issuer  # so it is its own (OpenID4VCI 12.2.4)
    server = client.get(WELL_KNOWN.format("oauth-authorization-server")).json
    assert (server["issuer"], server["grant_types_supported"]) == (ISSUER, [GRANT])
    kind = desk.visitor().get("credential-types/employment-certificate").json
    assert kind["vct"] == offered_kind["vct"]
    claims = [claim["path"] for claim in kind["claims"]]
    assert claims == [claim["path"] for claim in offered_kind["credential_metadata"]["claims"]]
    signed = client.get(place, headers={"Accept": "application/jwt"})
    assert signed.content_type == "application/jwt"
    assert (said.headers["Vary"], signed.headers["Vary"]) == ("Accept", "Accept")
    keys = KeySet.import_key_set(desk.visitor().get("certificate-keys").json)
    read = jwt.decode(signed.text, keys, algorithms=["ES256"])
    assert read.header["typ"] == "openidvci-issuer-metadata+jwt"
    assert {name: read.claims[name] for name in issuer} == issuer
    assert read.claims["sub"] == ISSUER


def test_an_offer_is_the_persons_own_used_once_and_kept_as_hashes(desk: Any, lin: Any) -> None:
    stranger = desk.person()
    answer = stranger.post("certificates/current/wallet-offer")
    assert (answer.status_code, answer.json["code"]) == (404, "certificate-not-found")
    first, second = offered(lin), offered(lin)
    assert second["picture"].startswith("data:image/svg+xml")
    assert second["transaction_code"] not in second["link"]
    wallet = Wallet(desk)
    assert wallet.redeems(first, 400)["error"] == "invalid_grant"  # the second took its place
    token = wallet.redeems(second)["access_token"]
    assert wallet.redeems(second, 400)["error"] == "invalid_grant"
    stored = desk.everything_stored() + str(desk.rows("wallet_offer")) + desk.everything_told()
    for secret in (code_of(second), token):
        assert secret not in stored
    assert len(desk.rows("wallet_offer")) == 1


def test_a_transaction_code_is_guessed_five_times_at_most(desk: Any, lin: Any) -> None:
    offer, wallet = offered(lin), Wallet(desk)
    wrong = f"{(int(offer['transaction_code']) + 1) % 10**6:06d}"
    for _ in range(5):
        assert wallet.redeems(offer, 400, tx_code=wrong)["error"] == "invalid_grant"
    assert wallet.redeems(offer, 400)["error"] == "invalid_grant"
    again = offered(lin)
    assert wallet.redeems(again, 400, tx_code=wrong)["error"] == "invalid_grant"
    wallet.redeems(again)


def test_a_token_request_that_lacks_something(desk: Any, lin: Any) -> None:
    offer, wallet = offered(lin), Wallet(desk)
    for change, error in (
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"pre-authorized_code": None}, "invalid_request"),
        ({"tx_code": None}, "invalid_request"),
        ({"pre-authorized_code": "guessed"}, "invalid_grant"),
    ):
        assert wallet.redeems(offer, 400, **change)["error"] == error
    wallet.redeems(offer)  # they harmed nothing
    twice = wallet.client.post("/wallet/token", data={"tx_code": ["1", "2"]})
    in_address = wallet.client.post("/wallet/token?tx_code=1", data={"grant_type": GRANT})
    as_json = wallet.client.post("/wallet/token", json={"grant_type": GRANT})
    for answer in (twice, in_address, as_json):
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_time_runs_out_for_offers_tokens_and_nonces(desk: Any, lin: Any) -> None:
    late, wallet = offered(lin), Wallet(desk)
    desk.clock.advance(minutes=10)
    assert wallet.redeems(late, 400)["error"] == "invalid_grant"
    wallet.redeems(offered(lin))
    nonce = wallet.nonce()
    desk.clock.advance(minutes=5)
    assert wallet.fetches(wallet.proof(nonce=nonce), expect=400)["error"] == "invalid_nonce"
    wallet.fetches()
    desk.clock.advance(minutes=5)
    assert wallet.fetches(expect=401)["error"] == "invalid_token"
    context = JobContext(SERVICE, desk.app.database, desk.clock, None, threading.Event())
    next(job.work for job in JOBS if job.name == "forget-wallet-offers")(context)
    assert not desk.rows("wallet_offer")
    assert not desk.rows("wallet_nonce")
    assert len(desk.rows("wallet_copy")) == 1


BAD_PROOFS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"aud": "https://another.example"}, "invalid_proof"),
    ({"aud": None}, "invalid_proof"),
    ({"iat": 0}, "invalid_proof"),
    ({"iat": None}, "invalid_proof"),
    ({"nonce": "c29tZWJvZHkgZWxzZSdz"}, "invalid_nonce"),
    ({"nonce": "!"}, "invalid_nonce"),
    ({"nonce": "\ud800"}, "invalid_nonce"),
    ({"iat": float("nan")}, "invalid_proof"),
    ({"header": {"typ": "JWT"}}, "invalid_proof"),
    ({"header": {"alg": "none"}}, "invalid_proof"),
    ({"header": {"kid": "did:example:1"}}, "invalid_proof"),
    ({"header": {"crit": ["exp"]}}, "invalid_proof"),
    ({"header": {"jwk": "public"}}, "invalid_proof"),
    ({"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}}, "invalid_proof"),
    ({"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=True)}}, "invalid_proof"),
    ({"header": {"jwk": ECKey.generate_key("P-384").as_dict(private=False)}}, "invalid_proof"),
)


def test_a_proof_that_proves_nothing(desk: Any, wallet: Wallet) -> None:
    for change, error in BAD_PROOFS:
        answer = wallet.fetches(wallet.proof(**copy.deepcopy(change)), expect=400)
        assert answer["error"] == error, change
    assert not desk.rows("wallet_copy")


@pytest.mark.req("ER-11")
def test_a_nonce_is_good_once_however_it_is_spelt(desk: Any, wallet: Wallet) -> None:
    used = wallet.nonce()
    wallet.fetches(wallet.proof(nonce=used))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = letters.index(used[-1])
    alike = {used[:-1] + letters[place & 0b111100 | low] for low in range(4)}
    alike |= {used + "=", used.replace("-", "+").replace("_", "/")}
    for nonce in alike:
        answer = wallet.fetches(wallet.proof(nonce=nonce), expect=400)
        assert answer["error"] == "invalid_nonce", nonce
    assert len(desk.rows("wallet_copy")) == 1


def test_a_request_is_refused_in_the_specifications_words(desk: Any, wallet: Wallet) -> None:
    key, nonce = ECKey.generate_key("P-256"), wallet.nonce()
    good = wallet.proof(key, nonce)
    for change, error in (
        ({"credential_configuration_id": None}, "invalid_credential_request"),
        ({"credential_configuration_id": "degree"}, "unknown_credential_configuration"),
        ({"credential_identifier": "one"}, "unknown_credential_identifier"),
        ({"credential_response_encryption": {"enc": "A128GCM"}}, "invalid_encryption_parameters"),
        ({"proofs": None}, "invalid_proof"),
        ({"proofs": {}}, "invalid_proof"),
        ({"proofs": {"jwt": []}}, "invalid_proof"),
        ({"proofs": {"jwt": [good], "di_vp": []}}, "invalid_proof"),
        ({"proofs": {"jwt": ["a.b.c"]}}, "invalid_proof"),
        ({"proofs": {"jwt": ["x" * 5000]}}, "invalid_proof"),
        ({"proofs": {"jwt": [good] * (BATCH + 1)}}, "invalid_credential_request"),
        ({"proofs": {"jwt": [good, wallet.proof(key, nonce)]}}, "invalid_proof"),
        ({"proofs": {"jwt": [good, wallet.proof()]}}, "invalid_nonce"),
    ):
        assert wallet.fetches(good, expect=400, **change)["error"] == error, change
    not_json = wallet.client.post(
        "/wallet/credential", data="{", headers={"Authorization": f"Bearer {wallet.token}"}
    )
    assert not_json.json["error"] == "invalid_credential_request"
    for token in ("", "another"):
        kept, wallet.token = wallet.token, token
        assert wallet.fetches(good, expect=401)["error"] == "invalid_token"
        wallet.token = kept
    wallet.fetches(good, future_member=True)  # what nobody knows is passed over
    assert wallet.fetches(good, expect=400)["error"] == "invalid_nonce"  # replayed
    assert len(desk.rows("wallet_copy")) == 1


def test_a_batch_is_not_known_for_one_persons(desk: Any, wallet: Wallet) -> None:
    for expect in (200, 200, 400):
        nonce = wallet.nonce()
        proofs = [wallet.proof(nonce=nonce) for _ in range(BATCH)]
        answer = wallet.fetches(*proofs, expect=expect)
    assert answer["error"] == "credential_request_denied"  # ten copies are a wallet's fill
    rows = desk.rows("wallet_copy")
    assert len({row.position for row in rows}) == len(rows) == 2 * BATCH
    assert {row.position for row in rows}.isdisjoint(r.position for r in desk.rows("certificate"))
    assert len({row.issued_at for row in rows}) == 1


@pytest.mark.req("CRT-06")
def test_a_replaced_certificate_ends_its_copies_and_is_offered_anew(
    desk: Any, lin: Any, wallet: Wallet
) -> None:
    old = wallet.fetches()["credentials"][0]["credential"]
    wish = {"cause": "lost", "service_place": "440106003"}
    draft = lin.post("certificate-applications", {"kind": "replacement", "certificate": wish})
    filed = lin.done(lin.post(f"certificate-applications/{draft.json['id']}/submit", {}))
    officer = desk.officer("440106", business=BUSINESS)
    officer.done(officer.post(f"certificate-reviews/{filed['id']}/approve", {}))
    assert wallet.fetches(expect=400)["error"] == "credential_request_denied"
    assert status(desk, old) == 3
    wallet.redeems(offered(lin))
    new = wallet.fetches()["credentials"][0]["credential"]
    assert (status(desk, new), status(desk, old)) == (0, 3)
    officer.done(officer.post(f"certificate-reviews/{filed['id']}/revoke", {"reason": "冒用"}))
    assert (status(desk, new), status(desk, old)) == (1, 3)
    assert lin.post("certificates/current/wallet-offer").status_code == 404


def test_a_wallet_tells_what_became_of_its_copy(desk: Any, lin: Any, wallet: Wallet) -> None:
    got = wallet.fetches()
    text, told = got["credentials"][0]["credential"], {"notification_id": got["notification_id"]}
    for _ in range(2):
        wallet.sends("notification", told | {"event": "credential_accepted"}, expect=204)
    [shown] = lin.get("certificates/current/wallet-copies").json["items"]
    assert (shown["event"], shown["ended_at"]) == ("credential_accepted", None)
    assert status(desk, text) == 0

    other = Wallet(desk)
    other.redeems(offered(desk.registered()[0]))
    deleted = told | {"event": "credential_deleted"}
    for body, error in (
        (deleted, "invalid_notification_id"),
        (told | {"event": "credential_sold"}, "invalid_notification_request"),
        ([], "invalid_notification_request"),
    ):
        assert other.sends("notification", body, expect=400)["error"] == error
    assert status(desk, text) == 0
    wallet.sends("notification", deleted, expect=204)
    assert status(desk, text) == 1


def test_a_lost_telephones_copies_are_taken_back(desk: Any, lin: Any, wallet: Wallet) -> None:
    text = wallet.fetches()["credentials"][0]["credential"]
    path = "certificates/current/wallet-copies/take-back"
    assert desk.person().post(path).status_code == 404
    assert lin.done(lin.post(path)) == {"ended": 1}
    assert lin.post(path).json["code"] == "no-wallet-copies"
    assert wallet.fetches(expect=401)["error"] == "invalid_token"
    assert status(desk, text) == 1
    assert lin.get("certificates/current").json["validity"] == "valid"
    told = [kind for kind in desk.events() if "wallet" in kind]
    assert told == ["employment-registry.wallet.copies-changed.v1"] * 2
    assert lin.number not in desk.everything_told()


def test_forty_wallets_with_one_offer_are_one(desk: Any, lin: Any) -> None:
    offer = offered(lin)
    wallets = [Wallet(desk) for _ in range(40)]

    def redeem(wallet: Wallet) -> int:
        form = {
            "grant_type": GRANT,
            "pre-authorized_code": code_of(offer),
            "tx_code": offer["transaction_code"],
        }
        answer = wallet.client.post("/wallet/token", data=form)
        wallet.token = answer.json.get("access_token", "")
        return int(answer.status_code)

    ends = Counter(answers_at_once(*[partial(redeem, wallet) for wallet in wallets]))
    assert ends[200] == 1
    assert set(ends) <= {200, 400, 503}
    [taken] = [wallet for wallet in wallets if wallet.token]
    proof = taken.proof()
    body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}}
    headers = {"Authorization": f"Bearer {taken.token}"}

    def fetch(wallet: Wallet) -> int:
        return int(wallet.client.post("/wallet/credential", json=body, headers=headers).status_code)

    ends = Counter(answers_at_once(*[partial(fetch, wallet) for wallet in wallets]))
    assert ends[200] == 1
    assert len(desk.rows("wallet_copy")) == 1


@pytest.mark.req("ER-11", "ID-44")
def test_copies_end_with_a_leaked_key_and_others_are_fetched(
    desk: Any, lin: Any, wallet: Wallet
) -> None:
    [first] = [each["credential"] for each in wallet.fetches()["credentials"]]
    leaked = str(jws.extract_compact(first.partition("~")[0].encode()).headers()["kid"])
    desk.job("end-forgeable-copies")
    assert status(desk, first) == 0
    leaked_keys.withdraw(desk.app, leaked, reason="案件 2026-17：密钥泄露")
    desk.clock.advance(seconds=3)  # other processes know it by then
    desk.job("end-forgeable-copies")
    anew = Wallet(desk)
    anew.redeems(offered(lin))
    [second] = [each["credential"] for each in anew.fetches()["credentials"]]
    for _ in range(3):  # the hour it tells is that of the leaked key too, which ends nothing
        desk.clock.advance(minutes=1)
        desk.job("end-forgeable-copies")
    assert (status(desk, first), status(desk, second)) == (1, 0)
    assert reads(desk, second)["vct"]
    with pytest.raises(KeyError):
        reads(desk, first)  # its key is not published any more
    told = [row.data["change"] for row in desk.rows("outbox") if "wallet" in row.type]
    assert told == ["added", "ended", "added"]
    assert lin.get("certificates/current").json["validity"] == "valid"


@pytest.mark.req("ER-11", "ID-44")
@pytest.mark.parametrize("kept", [True, False], ids=["key-known", "made-before-keys-were-kept"])
def test_a_key_that_leaks_after_its_time_ends_no_copy_of_the_next(
    desk: Any, lin: Any, wallet: Wallet, kept: bool
) -> None:
    [first] = [each["credential"] for each in wallet.fetches()["credentials"]]
    leaked = str(jws.extract_compact(first.partition("~")[0].encode()).headers()["kid"])
    desk.clock.advance(days=365)
    desk.job("turn-keys")
    desk.clock.advance(hours=1)
    anew = Wallet(desk)
    anew.redeems(offered(lin))
    [second] = [each["credential"] for each in anew.fetches()["credentials"]]
    if not kept:
        with desk.app.database.transaction() as db:
            db.execute(text("UPDATE wallet_copy SET kid = NULL"))
    leaked_keys.withdraw(desk.app, leaked, reason="案件 2026-17：密钥泄露")
    desk.clock.advance(hours=1)
    desk.job("end-forgeable-copies")
    assert status(desk, second) == 0
    told = [row.data["change"] for row in desk.rows("outbox") if "wallet" in row.type]
    assert told == ["added", "added", "ended"]
