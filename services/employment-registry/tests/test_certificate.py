"""就业创业证 through HTTP: issued, replaced, revoked, printed, and verified by anyone."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from datetime import date
from functools import partial
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import text

from servicekit import leaked_keys
from servicekit.testing.racing import answers_at_once

APPLICATIONS = "certificate-applications"
CERTIFICATES = "certificates"
REVIEWS = "certificate-reviews"
BUSINESS = "employment-registry.certificate"
LOST = {"cause": "lost", "service_place": "440106003"}


def opens(lin: Any, kind: str = "replacement", expect: int = 201, **form: Any) -> Any:
    """A draft, or the refusal."""
    return lin.done(lin.post(APPLICATIONS, {"kind": kind, "certificate": form}), expect)


def files(lin: Any, kind: str = "replacement", **form: Any) -> Any:
    """Submitted."""
    draft = opens(lin, kind, **form)
    return lin.done(lin.post(f"{APPLICATIONS}/{draft['id']}/submit", {}))


def approves(desk: Any, filed: Any, expect: int = 200) -> Any:
    """By an officer of the certificate."""
    officer = desk.officer("440106", business=BUSINESS)
    return officer.done(officer.post(f"{REVIEWS}/{filed['id']}/approve", {}), expect)


def current(lin: Any) -> Any:
    """The valid one."""
    return lin.done(lin.get(f"{CERTIFICATES}/current"))


def verified(desk: Any, code: str, expect: int = 200) -> Any:
    """What a passer-by is told."""
    answer = desk.visitor().get(f"certificate-verifications/{code}")
    assert answer.status_code == expect
    return answer.json


@pytest.fixture
def lin(desk: Any) -> Any:
    """Registered as flexibly employed, and so with a certificate."""
    return desk.registered()[0]


@pytest.mark.req("ER-06", "CRT-02", "CRT-07")
def test_an_approved_registration_brings_the_certificate(desk: Any, lin: Any) -> None:
    shown = current(lin)
    assert (shown["validity_label"], shown["can_be_replaced"]) == ("有效", True)
    assert shown["number"].startswith("4401060")
    assert shown["person"]["document_number"] == desk.masked(lin)
    assert desk.person().get(f"{CERTIFICATES}/current").status_code == 404
    assert opens(lin, "first", 409)["code"] == "already-certified"


@pytest.mark.req("CRT-07", "EMP-06")
def test_a_change_brings_no_certificate_back(desk: Any, lin: Any) -> None:
    (row,) = desk.rows("certificate")
    revoking = desk.officer("440106", business=BUSINESS)
    reason = {"reason": "冒用他人身份办理"}
    revoking.done(revoking.post(f"issued-certificates/{row.id}/revoke", reason))
    desk.officer("440106").approves(lin.submits(lin.opens("change", address="五山路2号")))
    assert lin.get(f"{CERTIFICATES}/current").status_code == 404
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    approves(desk, files(lin, "first", service_place="440106003"))
    assert current(lin)["validity"] == "valid"


@pytest.mark.req("CRT-07")
def test_a_first_certificate_is_for_who_is_still_registered(desk: Any, lin: Any) -> None:
    (row,) = desk.rows("certificate")
    revoking = desk.officer("440106", business=BUSINESS)
    reason = {"reason": "冒用他人身份办理"}
    revoking.done(revoking.post(f"issued-certificates/{row.id}/revoke", reason))
    filed = files(lin, "first", service_place="440106003")
    lin.cancels(lin.lists()[0], reason="已入职单位")
    assert approves(desk, filed, 409)["code"] == "not-registered"
    desk.officer("440106").approves(lin.submits(lin.opens(**desk.form)))
    assert current(lin)["validity"] == "valid"


@pytest.mark.req("CRT-07", "AL-08")
def test_used_up_numbers_are_told_and_nothing_is_half_done(desk: Any) -> None:
    wang, officer = desk.person(), desk.officer("440106")
    filed = wang.submits(wang.opens(**desk.form))
    used = "INSERT INTO serial (name, day, last) VALUES (:name, :day, 999999)"
    with desk.app.database.transaction() as db:
        values = {"name": "certificate:440106", "day": date(2026, 1, 1)}
        db.execute(text(used), values)
    refused = officer.tries_to("approve", filed, {})
    assert (refused.status_code, refused.json["code"]) == (409, "certificate-numbers-used-up")
    assert wang.shows(filed)["state"] == "submitted"


@pytest.mark.req("CRT-04", "CRT-07")
def test_who_has_none_applies_first(desk: Any) -> None:
    wang = desk.person()
    assert opens(wang, "replacement", 409, **LOST)["code"] == "no-certificate"
    assert opens(wang, "first", 409)["code"] == "not-registered"


@pytest.mark.req("ER-06", "CRT-01", "CRT-03", "CRT-05", "CRT-06", "ER-12")
def test_a_replacement_takes_the_place_of_the_old_one(desk: Any, lin: Any) -> None:
    before = current(lin)
    filed = files(lin, **LOST)
    assert filed["number"].startswith("440106-03-")
    assert current(lin)["id"] == before["id"]  # until it is approved
    approves(desk, filed)
    after = current(lin)
    assert after["id"] != before["id"]
    assert after["number"] == before["number"]  # the policy keeps it
    assert after["code"] != before["code"]
    listed = lin.get(CERTIFICATES).json["items"]
    assert [(row["validity"], row["can_be_replaced"]) for row in listed] == [
        ("valid", True),
        ("replaced", False),
    ]
    [record] = lin.get(APPLICATIONS).json["items"]
    assert (record["kind"], record["can_be_replaced"]) == ("replacement", True)
    assert verified(desk, before["code"])["validity_label"] == "已补换"
    assert desk.events()[-3:] == [
        f"{BUSINESS}.approved.v1",
        f"{BUSINESS}.changed.v1",
        f"{BUSINESS}.changed.v1",
    ]
    assert lin.number not in desk.everything_told()


@pytest.mark.req("CRT-06", "CRT-08")
def test_what_was_turned_down_is_copied(desk: Any, lin: Any) -> None:
    filed = files(lin, **LOST, explanation="地铁上遗失")
    officer = desk.officer("440106", business=BUSINESS)
    officer.done(officer.post(f"{REVIEWS}/{filed['id']}/reject", {"reason": "不符"}))
    body = {"kind": "replacement", "copy_of": filed["id"]}
    copied = lin.done(lin.post(APPLICATIONS, body), 201)
    assert copied["certificate"] == filed["certificate"]
    assert desk.registered()[0].post(APPLICATIONS, body).json["code"] == "application-not-found"


@pytest.mark.req("CRT-05")
def test_only_the_newest_record_is_replaced(desk: Any, lin: Any) -> None:
    oldest = current(lin)
    approves(desk, files(lin, **LOST))
    older = current(lin)
    approves(desk, files(lin, **LOST))
    records = lin.get(APPLICATIONS).json["items"]
    assert [record["can_be_replaced"] for record in records] == [True, False]
    for gone in (oldest, older, {"id": "somebody-elses"}):
        wish = {"kind": "replacement", "replaces": gone["id"]}
        refused = lin.done(lin.post(APPLICATIONS, wish), 409)
        assert refused["code"] == "not-the-newest-certificate"
    wish = {"kind": "replacement", "replaces": current(lin)["id"]}
    lin.done(lin.post(APPLICATIONS, wish), 201)


@pytest.mark.req("CRT-08")
def test_forty_times_pressed_is_one_open_application(desk: Any, lin: Any) -> None:
    press = partial(lin.post, APPLICATIONS, {"kind": "replacement"})
    ends = Counter(answer.status_code for answer in answers_at_once(*[press] * 40))
    assert ends[201] == 1
    assert set(ends) <= {201, 409, 503}
    assert len(desk.rows("certificate_application")) == 1


@pytest.mark.req("CRT-08")
def test_one_open_application_with_a_reason(lin: Any) -> None:
    draft = opens(lin, service_place="440106003")
    assert opens(lin, expect=409)["code"] == "application-open"
    answer = lin.post(f"{APPLICATIONS}/{draft['id']}/submit", {})
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json["errors"]] == ["/certificate/cause"]


@pytest.mark.req("ER-11")
def test_anyone_verifies_with_the_code_and_learns_no_more_than_needed(desk: Any, lin: Any) -> None:
    shown = current(lin)
    told = verified(desk, shown["code"])
    assert told["name"] == "林**"
    assert told["document_ends_with"] == lin.number[-4:]
    assert told["validity_label"] == "有效"
    assert lin.number not in str(told)
    assert verified(desk, "nobody-has-this-code-22", 404)["code"] == "certificate-not-found"
    assert verified(desk, shown["number"], 404)["code"] == "certificate-not-found"
    page = desk.app.test_client().get(f"/certificates/{shown['code']}")
    assert page.status_code == 200
    assert "有效" in page.text
    assert lin.number not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert desk.app.test_client().get("/certificates/unknown").status_code == 404


@pytest.mark.req("ER-11")
def test_the_signature_and_the_status_list_are_checked_offline(desk: Any, lin: Any) -> None:
    keys = KeySet.import_key_set(desk.visitor().get("certificate-keys").json)
    assert all("d" not in key for key in keys.as_dict(private=False)["keys"])
    shown = current(lin)
    signed = lin.done(lin.get(f"{CERTIFICATES}/current/signed"))["signed"]
    said = jwt.decode(signed, keys, algorithms=["ES256"])
    assert said.header["typ"] == "employment-certificate+jwt"
    assert (said.claims["number"], said.claims["name"]) == (shown["number"], "林**")
    assert lin.number not in str(said.claims)
    place = said.claims["status"]["status_list"]

    def status() -> int:
        answer = desk.visitor().get("certificate-status-list")
        assert answer.content_type == "application/statuslist+jwt"
        listed = jwt.decode(answer.text, keys, algorithms=["ES256"]).claims
        assert place["uri"].endswith("/certificate-status-list")
        assert listed["sub"] == place["uri"]
        text = listed["status_list"]["lst"]
        raw = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return raw[place["idx"] * 2 // 8] >> (place["idx"] * 2 % 8) & 0b11

    assert status() == 0
    approves(desk, files(lin, **LOST))
    assert status() == 0  # the list is a minute old at most
    desk.clock.advance(minutes=1)
    assert status() == 3


@pytest.mark.req("ER-11")
def test_a_key_is_published_until_what_it_signed_has_ended(desk: Any, lin: Any) -> None:
    def signed() -> tuple[str, str]:
        text = lin.done(lin.get(f"{CERTIFICATES}/current/signed"))["signed"]
        return text, jws.extract_compact(text.encode()).headers()["kid"]

    def turned(days: int) -> list[str]:
        desk.clock.advance(days=days)
        desk.job("turn-keys")
        return [key["kid"] for key in desk.visitor().get("certificate-keys").json["keys"]]

    paper, first = signed()
    assert first in turned(days=364)
    assert signed()[1] == first
    before = desk.visitor().get("certificate-keys").json["keys"]
    assert first in turned(days=1)
    second = signed()[1]
    assert second in [key["kid"] for key in before if key["kid"] != first], "known a year before"
    for _ in range(3):
        assert first in turned(days=366), "the paper of the first year is still good"
    keys = KeySet.import_key_set(desk.visitor().get("certificate-keys").json)
    assert jwt.decode(paper, keys, algorithms=["ES256"]).claims["number"] == current(lin)["number"]
    approves(desk, files(lin, **LOST))
    assert first not in turned(days=1)
    assert desk.visitor().get(f"certificate-verifications/{current(lin)['code']}").json


@pytest.mark.req("ER-11", "ID-44")
def test_with_a_leaked_key_certificates_are_signed_anew_and_the_list_names_it(
    desk: Any, lin: Any
) -> None:
    def signed() -> tuple[str, str]:
        text = lin.done(lin.get(f"{CERTIFICATES}/current/signed"))["signed"]
        return text, jws.extract_compact(text.encode()).headers()["kid"]

    def keys() -> KeySet:
        return KeySet.import_key_set(desk.visitor().get("certificate-keys").json)

    former, (paper, leaked) = keys(), signed()
    leaked_keys.withdraw(desk.app, leaked, reason="案件 2026-17：密钥泄露")
    desk.clock.advance(seconds=61)
    anew, kid = signed()
    assert kid != leaked
    assert jwt.decode(anew, former, algorithms=["ES256"]).claims["number"] == current(lin)["number"]
    with pytest.raises(JoseError):
        jwt.decode(paper, keys(), algorithms=["ES256"])
    answer = desk.visitor().get("certificate-status-list")
    listed = jwt.decode(answer.text, former, algorithms=["ES256"])
    assert listed.header["kid"] != leaked
    assert listed.claims["withdrawn_keys"] == [leaked], "whoever keeps the keys reads it here"
    assert desk.visitor().get(f"certificate-verifications/{current(lin)['code']}").json


@pytest.mark.req("ER-11")
@pytest.mark.parametrize(("on", "codes"), [("a4", 2), ("card", 1)])
def test_the_paper_can_be_read_and_scanned(desk: Any, lin: Any, on: str, codes: int) -> None:
    answer = lin.get(f"{CERTIFICATES}/current/paper", format=on)
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    document = pypdfium2.PdfDocument(answer.data)
    text = document[0].get_textpage().get_text_bounded()
    shown = current(lin)
    for wanted in ("就业创业证", "林小满", lin.number, shown["number"]):
        assert wanted in text
    picture = document[0].render(scale=4).to_pil()
    read = [code.text for code in zxingcpp.read_barcodes(picture)]
    assert len(read) == codes
    link = f"http://127.0.0.1:8080/certificates/{shown['code']}"
    assert link in read
    if codes > 1:
        keys = KeySet.import_key_set(desk.visitor().get("certificate-keys").json)
        signed = next(text for text in read if text != link)
        assert jwt.decode(signed, keys, algorithms=["ES256"]).claims["number"] == shown["number"]
    assert lin.get(f"{CERTIFICATES}/current/paper", format="poster").status_code == 422


@pytest.mark.req("ER-11")
def test_a_revoked_certificate_is_told_and_may_be_applied_for_again(desk: Any, lin: Any) -> None:
    filed = files(lin, **LOST)
    approves(desk, filed)
    code = current(lin)["code"]
    officer = desk.officer("440106", business=BUSINESS)
    path = f"{REVIEWS}/{filed['id']}/revoke"
    elsewhere = desk.officer("4403", business=BUSINESS)
    assert elsewhere.post(path, {"reason": "冒用"}).status_code == 404
    assert officer.post(path, {}).status_code == 422
    officer.done(officer.post(path, {"reason": "冒用他人身份办理"}))
    assert verified(desk, code)["validity_label"] == "已作废"
    assert lin.get(f"{CERTIFICATES}/current").status_code == 404
    again = officer.post(path, {"reason": "冒用"})
    assert (again.status_code, again.json["code"]) == (409, "wrong-state")
    approves(desk, files(lin, "first", service_place="440106003"))
    assert current(lin)["validity"] == "valid"


@pytest.mark.req("ER-11", "AL-02")
def test_one_that_came_with_a_registration_is_revoked_too(desk: Any, lin: Any) -> None:
    shown = current(lin)
    officer = desk.officer("440106", business=BUSINESS)
    elsewhere = desk.officer("4403", business=BUSINESS)
    path = f"issued-certificates/{shown['id']}/revoke"
    assert elsewhere.get("issued-certificates", number=shown["number"]).json["items"] == []
    assert elsewhere.post(path, {"reason": "冒用"}).status_code == 404
    assert officer.get("issued-certificates").status_code == 422
    [found] = officer.get("issued-certificates", number=shown["number"]).json["items"]
    assert (found["id"], found["person"]["name"]) == (shown["id"], "林**")
    assert "code" not in found
    assert lin.number not in str(found)
    gone = officer.done(officer.post(path, {"reason": "冒用他人身份办理"}))
    assert gone["validity_label"] == "已作废"
    assert verified(desk, shown["code"])["validity_label"] == "已作废"
    again = officer.post(path, {"reason": "冒用"})
    assert (again.status_code, again.json["code"]) == (409, "changed-meanwhile")
    written = [row for row in desk.rows("application_history") if row.application_id == shown["id"]]
    assert [(row.move, row.after, row.note) for row in written] == [
        ("revoke", "revoked", "冒用他人身份办理")
    ]
    assert desk.history_is_whole()
    filed = files(lin, "first", service_place="440106003")
    approves(desk, filed)
    by_application = current(lin)
    path = f"issued-certificates/{by_application['id']}/revoke"
    officer.done(officer.post(path, {"reason": "冒用"}))
    assert lin.get(f"{APPLICATIONS}/{filed['id']}").json["state"] == "cancelled"


@pytest.mark.req("CRT-02")
def test_forty_decisions_at_once_leave_one_valid_certificate(desk: Any, lin: Any) -> None:
    filed = files(lin, **LOST)
    officers = [desk.officer("440106", business=BUSINESS) for _ in range(40)]
    approve = f"{REVIEWS}/{filed['id']}/approve"
    answers = answers_at_once(*[partial(officer.post, approve, {}) for officer in officers])
    ends = Counter(answer.status_code for answer in answers)
    assert ends[200] == 1
    assert set(ends) <= {200, 409, 503}
    valid = [row for row in desk.rows("certificate") if row.validity == "valid"]
    assert len(valid) == 1
    assert desk.history_is_whole()


@pytest.mark.req("CRT-06", "AL-02")
def test_a_replacement_is_shown_beside_the_certificate(desk: Any, lin: Any) -> None:
    filed = files(lin, cause="lost", service_place="440106004")
    officer = desk.officer("44", business=BUSINESS)
    shown = officer.done(officer.get(f"{REVIEWS}/{filed['id']}"))
    changed = [each for each in shown["comparison"] if each["changed"]]
    assert [(e["field"], e["before"], e["after"]) for e in changed] == [
        ("/certificate/region", "440106003", "440106004")
    ]


@pytest.mark.req("AL-12", "ER-06", "CRT-02")
def test_who_holds_one_under_another_document_gets_no_second(desk: Any) -> None:
    first, again = desk.person(name="陈一一"), desk.person(name="陈 一一")
    clerk, officer = desk.officer("440106"), desk.officer("440106", business=BUSINESS)

    def marks(who: Any, path: str, verdict: str) -> None:
        (item,) = who.done(who.get(f"{path}/possible-duplicates"))["items"]
        said = {"verdict": verdict, "reason": "电话核实"}
        who.done(who.post(f"{path}/possible-duplicates/{item['other']}/mark", said))

    clerk.approves(first.submits(first.opens(**desk.form)))
    asked = again.submits(again.opens(**desk.form))
    marks(clerk, f"flexible-employment-reviews/{asked['id']}", "different")
    clerk.approves(asked)
    path = f"issued-certificates/{current(again)['id']}/revoke"
    officer.done(officer.post(path, {"reason": "冒用他人身份办理"}))
    filed = files(again, "first", service_place="440106003")
    marks(officer, f"{REVIEWS}/{filed['id']}", "same")
    refused = officer.post(f"{REVIEWS}/{filed['id']}/approve", {})
    assert (refused.status_code, refused.json["code"]) == (409, "held-by-duplicate")
