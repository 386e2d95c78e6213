"""Messages (ID-48): told once, in the application and by SMS, without personal data."""

import pytest
from sqlalchemy import select

from identity.handlers import SUBSCRIPTIONS
from identity.messages import rules
from identity.messages.model import Delivery
from servicekit.inbox import Envelope

BUSINESS = "employment-registry.flexible-employment"


@pytest.fixture
def person(world):
    return world.registers()


def moved(world, person, after, *, before="submitted", sequence=1, event="event-1", **more):
    data = {
        "applicant_id": person.id,
        "number": "44010620261121000017",
        "business": BUSINESS,
        "region": "440106001",
        "move": "move",
        "before": before,
        "after": after,
    } | more
    return Envelope(
        id=event,
        source="employment-registry",
        type=f"{BUSINESS}.{after}.v1",
        stream="application",
        subject="application-1",
        time=world.clock.now(),
        sequence=sequence,
        data=data,
    )


def hear(world, envelope):
    with world.app.database.transaction() as db:
        SUBSCRIPTIONS.begin(db, world.clock.now())
        return SUBSCRIPTIONS.deliver(db, envelope, world.clock.now())


def messages(world, person):
    token = world.token_of(person)
    return world.browser().api("GET", "/me/messages", token=token).json


def deliveries(world):
    with world.app.database.reading() as db:
        return db.scalars(select(Delivery).order_by(Delivery.id)).all()


@pytest.mark.req("ID-48")
@pytest.mark.parametrize(
    ("after", "title"),
    [
        ("submitted", "申请已提交"),
        ("returned", "申请需要补正"),
        ("approved", "申请审核通过"),
        ("rejected", "申请审核不通过"),
        ("cancelled", "登记已注销"),
    ],
)
def test_the_applicant_is_told_of_every_decision(world, person, after, title):
    hear(world, moved(world, person, after, before="draft" if after == "submitted" else "x"))
    page = messages(world, person)
    assert [m["title"] for m in page["items"]] == [title]
    assert "灵活就业登记" in page["items"][0]["body"]
    assert page["items"][0]["subject"] == "application-1"
    assert any("44010620261121000017" in text for text in world.texts(person.phone))


@pytest.mark.req("ER-09", "K1")
def test_who_could_not_be_checked_is_told_in_the_manuals_words(world, person):
    told = Envelope(
        id="event-1",
        source="employment-registry",
        type="employment-registry.outside-check.failed.v1",
        stream="fact",
        subject="application-1",
        time=world.clock.now(),
        sequence=1,
        data={
            "applicant_id": person.id,
            "application_id": "application-1",
            "business": BUSINESS,
            "number": "44010620261121000017",
        },
    )
    for _ in range(2):
        hear(world, told)
    page = messages(world, person)
    assert page["total"] == 1
    assert "外厅局接口异常，请联系业务部门!" in page["items"][0]["body"]
    sms = [text for text in world.texts(person.phone) if "外厅局接口异常" in text]
    assert len(sms) == 1
    assert "再次核验" in sms[0]
    assert person.name not in sms[0]


@pytest.mark.req("ER-07")
def test_an_ending_is_told_before_it_takes_effect_without_its_reason(world, person):
    told = Envelope(
        id="event-1",
        source="employment-registry",
        type="employment-registry.ending.announced.v1",
        stream="fact",
        subject="ending-1",
        time=world.clock.now(),
        sequence=1,
        data={
            "applicant_id": person.id,
            "ending_id": "ending-1",
            "business": "employment-registry.unemployment",
            "takes_effect_on": "2026-10-19",
        },
    )
    hear(world, told)
    (message,) = messages(world, person)["items"]
    assert "您的失业登记将于 2026年10月19日 终止" in message["body"]
    assert message["subject"] == "ending-1"
    assert any("请在该日前登录申诉" in text for text in world.texts(person.phone))


@pytest.mark.req("ID-48")
def test_a_repeated_event_tells_nobody_twice(world, person):
    for _ in range(2):
        hear(world, moved(world, person, "approved"))
    assert messages(world, person)["total"] == 1


@pytest.mark.req("ID-48")
def test_drafts_and_strangers_are_not_told(world, person):
    hear(world, moved(world, person, "draft", before=None))
    hear(world, moved(world, person, "approved", event="e2", sequence=2, applicant_id="nobody"))
    assert messages(world, person)["items"] == []


@pytest.mark.req("ID-48")
def test_messages_are_counted_read_and_ones_own(world, person):
    hear(world, moved(world, person, "approved"))
    token, browser = world.token_of(person), world.browser()
    assert browser.api("GET", "/me/messages/unread", token=token).json == {"unread": 1}
    message = messages(world, person)["items"][0]
    foreign = world.token_of(world.registers())
    path = f"/me/messages/{message['id']}/read"
    assert browser.api("POST", path, token=foreign).status_code == 404
    first = browser.api("POST", path, token=token)
    world.clock.advance(minutes=1)
    assert browser.api("POST", path, token=token).json["read_at"] == first.json["read_at"]
    assert browser.api("GET", "/me/messages/unread", token=token).json == {"unread": 0}


@pytest.mark.req("ID-48")
def test_an_sms_is_delivered_once_and_its_text_forgotten(world, person, simulators):
    hear(world, moved(world, person, "approved"))
    world.job("send-sms")
    world.job("send-sms")
    sent = [m for m in simulators.app.sms.messages(person.phone) if "审核通过" in m.text]
    assert len({m.reference for m in sent}) == len(sent)
    last = deliveries(world)[-1]
    assert last.state is rules.DeliveryState.DELIVERED
    assert last.text is None
    assert last.id in {m.reference for m in sent}


@pytest.mark.req("ID-48")
def test_a_temporary_failure_is_tried_again_with_the_same_reference(world, simulators):
    person = world.registers(phone="13900090001")
    hear(world, moved(world, person, "approved"))
    world.job("send-sms")
    failed = [d.state for d in deliveries(world)]
    assert set(failed) <= {rules.DeliveryState.TEMPORARY_FAILURE, rules.DeliveryState.DELIVERED}
    for _ in range(6):
        world.clock.advance(hours=1, seconds=1)
        world.job("send-sms")
    told = deliveries(world)[-1]
    assert told.state is rules.DeliveryState.DELIVERED
    assert told.attempts >= 1


@pytest.mark.req("ID-48")
def test_a_refused_number_is_not_tried_again(world):
    person = world.registers(phone="13900090002")
    hear(world, moved(world, person, "approved"))
    world.job("send-sms")
    world.clock.advance(hours=2)
    world.job("send-sms")
    last = deliveries(world)[-1]
    assert last.state is rules.DeliveryState.PERMANENT_FAILURE
    assert last.attempts == 1
    assert last.text is None


@pytest.mark.req("ID-48")
def test_what_never_gets_through_is_given_up(world):
    person = world.registers(phone="13900090004")
    hear(world, moved(world, person, "approved"))
    for _ in range(8):
        world.job("send-sms")
        world.clock.advance(hours=2)
    assert deliveries(world)[-1].state is rules.DeliveryState.TECHNICAL_FAILURE
    assert deliveries(world)[-1].attempts == len(rules.RETRY_AFTER) + 1


@pytest.mark.req("ID-48")
def test_an_expired_code_is_not_sent_any_more(world, simulators):
    world.browser().api("POST", "/sms-codes", {"phone": "13911113333", "purpose": "registration"})
    world.clock.advance(minutes=6)
    world.job("send-sms")
    assert simulators.app.sms.messages("13911113333") == []
    assert deliveries(world)[-1].state is rules.DeliveryState.TECHNICAL_FAILURE


@pytest.mark.req("ID-48")
def test_no_sms_names_a_person_or_a_document(world, person):
    for number, after in enumerate(sorted(rules.TOLD_STATES), 1):
        before = "draft" if after == "submitted" else "x"
        hear(world, moved(world, person, after, before=before, event=after, sequence=number))
    texts = world.texts(person.phone)
    assert len(texts) >= len(rules.TOLD_STATES)
    for text in texts:
        assert person.document_number not in text
        assert person.name not in text
        assert text.startswith("【就业服务】")


@pytest.mark.req("ID-48")
@pytest.mark.parametrize("after", sorted(rules.TOLD_STATES))
def test_every_told_state_has_a_text(after):
    form = rules.template(f"application-{after}")
    words = {"matter": rules.matter_title(BUSINESS), "number": "1"}
    assert "灵活就业登记" in form.sms.format_map(words)
    assert form.message
    assert len(form.sms.format_map(words)) <= 70  # one SMS


@pytest.mark.req("ID-48", "ER-11")
@pytest.mark.parametrize(
    ("change", "title", "word"),
    [
        ("added", "就业创业证已添加到电子钱包", "收回"),
        ("taken-back", "电子钱包中的就业创业证已收回", "收回"),
        ("ended", "电子钱包中的就业创业证已失效", "重新添加"),
    ],
)
def test_a_copy_in_a_wallet_does_not_go_unnoticed(world, person, change, title, word):
    told = Envelope(
        id=f"event-{change}",
        source="employment-registry",
        type="employment-registry.wallet.copies-changed.v1",
        stream="fact",
        subject=person.id,
        time=world.clock.now(),
        sequence=1,
        data={"applicant_id": person.id, "change": change, "region": "440106001"},
    )
    hear(world, told)
    assert [m["title"] for m in messages(world, person)["items"]] == [title]
    assert any(word in text for text in world.texts(person.phone))


@pytest.mark.req("AL-10", "ID-48")
@pytest.mark.parametrize(
    ("matter", "title"),
    [
        ("transferred", "办件已转办给您"),
        ("advice", "请您加签"),
        ("joint", "请您会签"),
        ("answered", "同事已答复"),
    ],
)
def test_an_officer_is_told_of_what_is_handed_to_them(world, matter, title):
    officer = world.officer("reviewer")
    handed = {
        "officer_id": officer.id,
        "matter": matter,
        "business": BUSINESS,
        "application_id": "application-1",
        "number": "44010620261121000017",
    }
    envelope = Envelope(
        id="handed-1",
        source="employment-registry",
        type="employment-registry.review.handed.v1",
        stream="fact",
        subject="application-1",
        time=world.clock.now(),
        sequence=1,
        data=handed,
    )
    hear(world, envelope)
    (message,) = messages(world, officer)["items"]
    assert message["title"] == title
    assert "44010620261121000017" in message["body"]
    assert deliveries(world) == []  # it can wait until the officer looks


@pytest.mark.req("AL-06", "ID-48")
@pytest.mark.parametrize(
    ("state", "title"), [("ready", "导出文件可下载"), ("failed", "导出未生成")]
)
def test_an_officer_is_told_that_an_export_ended(world, state, title):
    officer = world.officer("reviewer")
    ended = Envelope(
        id="ended-1",
        source="employment-registry",
        type="employment-registry.review.export-ended.v1",
        stream="fact",
        subject="export-1",
        time=world.clock.now(),
        sequence=1,
        data={
            "officer_id": officer.id,
            "business": BUSINESS,
            "export_id": "export-1",
            "state": state,
        },
    )
    hear(world, ended)
    (message,) = messages(world, officer)["items"]
    assert message["title"] == title
    assert deliveries(world) == []


@pytest.mark.req("ID-48")
def test_a_revoked_certificate_is_told_and_a_valid_one_is_not(world, person):
    for number, validity in enumerate(("valid", "revoked"), 1):
        told = Envelope(
            id=f"event-{number}",
            source="employment-registry",
            type="employment-registry.certificate.changed.v1",
            stream="fact",
            subject="certificate-1",
            time=world.clock.now(),
            sequence=number,
            data={
                "applicant_id": person.id,
                "certificate_id": "certificate-1",
                "validity": validity,
                "version": number,
                "region": "440106001",
            },
        )
        hear(world, told)
    assert [m["title"] for m in messages(world, person)["items"]] == ["就业创业证已作废"]
