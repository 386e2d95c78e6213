"""What flexible employment's rules say, without any input or output."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from employment_registry.checks.rules import OPEN
from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.rules import WORKFLOW, Employment, Kind
from employment_registry.working_age import WorkingAge
from servicekit.personal import MobileNumber
from servicekit.workflow import Role, State, WrongRole, WrongState

TODAY = date(2026, 9, 29)
BORN = date(1990, 1, 1)
COMPLETE = Employment(
    employment_type=rules.EmploymentType.PLATFORM,
    started_on=date(2026, 9, 1),
    work_place="440106003",
    address="五山路1号",
    occupation="网约配送员",
    monthly_income=Decimal("4500.00"),
    contact_phone=MobileNumber("13800000000"),
)

TOGETHER = {"transfer", "ask-opinion", "withdraw-opinion", "give-opinion", "mark-duplicates"}
# domain.md D7: (state, role) → moves; every other pair is a 409.
ALLOWED = {
    (State.DRAFT, Role.APPLICANT): {"save", "delete", "submit"},
    (State.DRAFT, Role.SYSTEM): {"check"},
    (State.CHECKING, Role.APPLICANT): {"withdraw", "check-again"},
    (State.CHECKING, Role.SYSTEM): {"submit", "refuse", "give-up", "lapse"},
    (State.SUBMITTED, Role.APPLICANT): {"withdraw", "urge"},
    (State.SUBMITTED, Role.REVIEWER): {"claim", "approve", "return", "reject"} | TOGETHER,
    (State.SUBMITTED, Role.SYSTEM): {"lapse", "hold-for-second"},
    (State.RETURNED, Role.APPLICANT): {"save", "submit"},
    (State.RETURNED, Role.SYSTEM): {"check", "lapse"},
    (State.APPROVED, Role.APPLICANT): {"cancel"},
    (State.APPROVED, Role.SYSTEM): {"cancel"},
}
MOVES = sorted({m.name for m in WORKFLOW.moves})


@pytest.mark.req("EMP-03", "EMP-09")
@pytest.mark.parametrize("state", sorted(WORKFLOW.states))
@pytest.mark.parametrize("role", Role)
def test_the_table_allows_what_d7_allows_and_nothing_else(state: State, role: Role) -> None:
    assert set(WORKFLOW.open_moves(state, role)) == ALLOWED.get((state, role), set())
    for name in set(MOVES) - ALLOWED.get((state, role), set()):
        with pytest.raises((WrongState, WrongRole)):
            WORKFLOW.next_state(name, state, role)


@given(steps=st.lists(st.tuples(st.sampled_from(MOVES), st.sampled_from(Role)), max_size=30))
def test_no_sequence_of_calls_leaves_the_table(steps: list[tuple[str, Role]]) -> None:
    state = WORKFLOW.start
    for name, role in steps:
        try:
            after = WORKFLOW.next_state(name, state, role)
        except (WrongState, WrongRole):
            continue
        assert name in ALLOWED[state, role]
        assert state not in {State.REJECTED, State.CANCELLED, State.WITHDRAWN}
        state = after


def test_officers_never_see_drafts_nor_what_is_being_checked() -> None:
    assert set(rules.FILED) == WORKFLOW.states - {State.DRAFT, State.CHECKING}


def test_every_open_state_has_an_ending_when_the_record_ends() -> None:
    assert {*OPEN, State.APPROVED} == set(rules.ENDINGS)


@pytest.mark.req("EMP-05", "EMP-08", "EMP-10")
@pytest.mark.parametrize(
    ("kind", "is_registered", "was_registered", "refusal"),
    [
        (Kind.REGISTRATION, False, False, None),
        (Kind.REGISTRATION, False, True, None),
        (Kind.REGISTRATION, True, True, rules.AlreadyRegistered),
        (Kind.CHANGE, True, True, None),
        (Kind.CHANGE, False, False, rules.NotFlexiblyEmployed),
        (Kind.CHANGE, False, True, rules.RecordInvalid),
    ],
)
def test_which_kind_is_open_to_whom(
    kind: Kind, is_registered: bool, was_registered: bool, refusal: type[Exception] | None
) -> None:
    def check() -> None:
        rules.check_kind(kind, is_registered=is_registered, was_registered=was_registered)

    if refusal is None:
        check()
    else:
        with pytest.raises(refusal):
            check()


@pytest.mark.req("EMP-08", "EMP-09")
@pytest.mark.parametrize("state", sorted(WORKFLOW.states))
def test_only_an_approved_application_of_a_valid_record_is_cancelled(state: State) -> None:
    if state is State.APPROVED:
        rules.check_cancellation(state, record_is_valid=True)
        with pytest.raises(rules.RecordInvalid):
            rules.check_cancellation(state, record_is_valid=False)
        return
    gone = rules.RecordInvalid if state is State.CANCELLED else rules.OnlyApprovedCanBeCancelled
    for valid in (True, False):
        with pytest.raises(gone):
            rules.check_cancellation(state, record_is_valid=valid)


@pytest.mark.req("AL-01", "EMP-11")
def test_an_empty_form_names_every_field_at_once(ages: WorkingAge) -> None:
    with pytest.raises(rules.Incomplete) as refused:
        rules.check_submission(Employment(), born_on=BORN, sex="male", today=TODAY, ages=ages)
    assert {(f.field, f.code) for f in refused.value.fields} == {
        (f"/employment/{name}", "missing") for name in rules.REQUIRED
    }


@pytest.mark.req("AL-01", "EMP-11")
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"started_on": TODAY}, None),
        ({"started_on": TODAY + timedelta(days=1)}, ("/employment/started_on", "in-the-future")),
        ({"started_on": date(2006, 1, 1)}, None),
        ({"started_on": date(2005, 12, 31)}, ("/employment/started_on", "too-young")),
        ({"work_place": "449999999"}, ("/employment/work_place", "unknown")),
        ({"work_place": "440106"}, ("/employment/work_place", "too-coarse")),
        ({"work_place": "4401"}, ("/employment/work_place", "too-coarse")),
        ({"monthly_income": Decimal(0)}, None),
        ({"occupation": None}, ("/employment/occupation", "missing")),
    ],
)
def test_each_field_at_its_edge(
    ages: WorkingAge, change: dict[str, object], fault: tuple[str, str] | None
) -> None:
    form = replace(COMPLETE, **change)  # type: ignore[arg-type]
    if fault is None:
        rules.check_submission(form, born_on=BORN, sex="male", today=TODAY, ages=ages)
        return
    with pytest.raises(rules.Incomplete) as refused:
        rules.check_submission(form, born_on=BORN, sex="male", today=TODAY, ages=ages)
    assert [(f.field, f.code) for f in refused.value.fields] == [fault]


@pytest.mark.req("EMP-11")
def test_age_and_form_are_named_together(ages: WorkingAge) -> None:
    form = replace(COMPLETE, started_on=None, address=None)
    with pytest.raises(rules.Incomplete) as refused:
        rules.check_submission(form, born_on=date(2012, 1, 1), sex="female", today=TODAY, ages=ages)
    assert [f.field for f in refused.value.fields] == [
        "/person/born_on",
        "/employment/started_on",
        "/employment/address",
    ]


def test_every_type_of_employment_has_its_words() -> None:
    assert set(rules.EMPLOYMENT_TYPES) == set(rules.EmploymentType)
    assert len({r.code for r in rules.REASONS}) == len(rules.REASONS)
    assert {r.move for r in rules.REASONS} == {"return", "reject"}
