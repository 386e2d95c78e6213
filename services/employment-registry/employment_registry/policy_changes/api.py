"""HTTP for admins: policies, their trial runs, and what brings them into force."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from employment_registry.places import PROVINCE
from employment_registry.policies import Policy
from employment_registry.policy_changes import actions, queries, schemas
from employment_registry.policy_changes.model import PolicyTrialLine
from servicekit import history
from servicekit.clock import shanghai_date
from servicekit.policy_rules import Draft
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import EXAMPLE_ENTRY, HistoryEntrySchema
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

policies = Blueprint("policies", __name__, url_prefix="/policies", description="政策与政策变更")
admins = access(Role.ADMIN)


@policies.route("", methods=["GET"])
@admins
@policies.arguments(schemas.PoliciesAskedSchema, location="query")
@policies.response(200, page_schema(schemas.PolicySchema), example=one_page(schemas.EXAMPLE_POLICY))
def list_policies(query: tuple[str | None, Page]) -> Any:
    """Everything that held, holds, will hold or was drafted, the latest first day first."""
    kind, page = query
    order = (Policy.in_force_from, Policy.id)
    with reading() as db:
        found = page_of(db, queries.policies(kind), page, by=order)
        told = queries.shown(db, found.items, shanghai_date(now()))
        return PageOf(told, found.next_cursor, found.total)


@policies.route("", methods=["POST"])
@admins
@policies.arguments(schemas.PolicyDraftSchema, example=schemas.EXAMPLE_DRAFT)
@policies.response(201, schemas.PolicySchema, example=schemas.EXAMPLE_POLICY)
def draft(wanted: Draft) -> dict[str, Any]:
    """Draft a policy, as the province's admin; another one activates it (拟定).

    403 `province-admin-required`; 409 `policy-begins-same-day`; 422 `policy-in-the-past`.
    """
    with transaction() as db:
        made = actions.draft(db, wanted, actor=actor(), now=now())
        return _shown(db, made)


@policies.route("/<policy_id>", methods=["GET"])
@admins
@policies.response(200, schemas.PolicySchema, example=schemas.EXAMPLE_POLICY)
def show(policy_id: str) -> dict[str, Any]:
    """One policy; 404 `policy-not-found`."""
    with reading() as db:
        return _shown(db, queries.find(db, policy_id))


@policies.route("/<policy_id>/history", methods=["GET"])
@admins
@policies.response(200, HistoryEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_history(policy_id: str) -> list[history.Entry]:
    """Who drafted, tried, activated and withdrew it, oldest first; 404 `policy-not-found`."""
    with reading() as db:
        return history.list_history(db, queries.find(db, policy_id).id)


@policies.route("/<policy_id>/try", methods=["POST"])
@admins
@policies.response(202, schemas.TrialSchema, example=schemas.EXAMPLE_TRIAL)
def begin_trial(policy_id: str) -> dict[str, Any]:
    """Find out whom a draft would touch; it is worked off beside the requests (试运行).

    403 `province-admin-required`; 404 `policy-not-found`; 409 `policy-not-draft`,
    `policy-trial-running`.
    """
    with transaction() as db:
        actions.begin_trial(db, policy_id, actor=actor(), now=now())
        return _trial(db, policy_id, None)


@policies.route("/<policy_id>/trial", methods=["GET"])
@admins
@policies.arguments(schemas.RegionAskedSchema, location="query")
@policies.response(200, schemas.TrialSchema, example=schemas.EXAMPLE_TRIAL)
def show_trial(query: dict[str, str | None], policy_id: str) -> dict[str, Any]:
    """How many applications and registrations of one's region a draft would touch, and how.

    404 `policy-not-found`, `policy-trial-not-found`.
    """
    with reading() as db:
        return _trial(db, policy_id, query["region"])


@policies.route("/<policy_id>/trial-lines", methods=["GET"])
@admins
@policies.arguments(schemas.LinesAskedSchema, location="query")
@policies.response(
    200, page_schema(schemas.TrialLineSchema), example=one_page(schemas.EXAMPLE_LINE)
)
def list_lines(query: tuple[str | None, Page], policy_id: str) -> Any:
    """Whom of one's region a draft would touch, and how; names are masked.

    404 `policy-not-found`, `policy-trial-not-found`.
    """
    region, page = query
    with reading() as db:
        queries.find_trial(db, policy_id)
        wanted = queries.lines(policy_id, actor(), region)
        found = page_of(db, wanted, page, by=(PolicyTrialLine.id,), descending=False)
        told = queries.with_persons(db, found.items)
        return PageOf(told, found.next_cursor, found.total)


@policies.route("/<policy_id>/activate", methods=["POST"])
@admins
@policies.response(200, schemas.PolicySchema, example=schemas.EXAMPLE_POLICY)
def activate(policy_id: str) -> dict[str, Any]:
    """Let a tried draft hold from its first day on, as another admin than drafted it (启用).

    403 `same-admin`, `province-admin-required`; 404 `policy-not-found`; 409 `policy-not-tried`,
    `policy-begins-same-day`, `wrong-state`; 422 `policy-in-the-past`.
    """
    with transaction() as db:
        return _shown(db, actions.activate(db, policy_id, actor=actor(), now=now()))


@policies.route("/<policy_id>/withdraw", methods=["POST"])
@admins
@policies.arguments(NoteSchema, example={"note": "文件尚未印发"})
@policies.response(200, schemas.PolicySchema, example=schemas.EXAMPLE_POLICY)
def withdraw(body: dict[str, Any], policy_id: str) -> dict[str, Any]:
    """Take back what does not hold yet (撤销).

    403 `province-admin-required`; 404 `policy-not-found`; 409 `policy-in-force`, `wrong-state`.
    """
    with transaction() as db:
        made = actions.withdraw(db, policy_id, actor=actor(), now=now(), note=body["note"])
        return _shown(db, made)


def _shown(db: Session, policy: Policy) -> dict[str, Any]:
    return queries.shown(db, [policy], shanghai_date(now()))[0]


def _trial(db: Session, policy_id: str, region: str | None) -> dict[str, Any]:
    trial = queries.find_trial(db, policy_id)
    effects = queries.effects(db, policy_id, actor(), region)
    province = actor().region == PROVINCE and region in (None, PROVINCE)
    return {
        "policy_id": trial.policy_id,
        "asked_at": trial.asked_at,
        "finished_at": trial.finished_at,
        "looked_at": trial.looked_at,
        "touched": sum(each["count"] for each in effects),
        "unseen_touched": trial.unseen_touched if province else None,
        "effects": effects,
    }
