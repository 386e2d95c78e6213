"""HTTP for persons whose application could not be checked: one press to try again (PRT-07)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema

from employment_registry.checks import actions
from employment_registry.checks.actions import Checked
from servicekit.filing import Filings
from servicekit.web import versions
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, transaction


def add_checks(
    to: Blueprint,
    filings: Filings[Any],
    matter: Checked[Any],
    mark: Callable[[Any], Any],
    *,
    view: type[Schema],
    example: dict[str, Any],
) -> None:
    """Write the endpoint into a matter's blueprint.

    Args:
        mark: who may use it.
        view, example: of one application in full.
    """

    @to.route("/<application_id>/check-again", methods=["POST"])
    @mark
    @to.response(200, view, example=example)
    def check_again(application_id: str) -> Any:
        """Ask the registers again that did not answer (再次核验).

        409 `still-checking`: they are being asked; `not-checking`; 503 `external-unavailable` with
        `retryable` while a register is known to be down: press again later, with the same key.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            return versions.tag(
                actions.check_again(
                    db,
                    matter,
                    filings,
                    application_id,
                    actor=actor(),
                    now=now(),
                    seen=seen,
                )
            )
