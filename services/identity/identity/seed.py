"""Demo rows: officers, a unit with its agent, and our own clients; never in production."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from identity import demo_unit
from identity.officers import actions as officers
from identity.officers.rules import Appointment
from identity.parts import KEY, Parts
from identity.settings import Settings
from identity.sign_in import clients
from servicekit.errors import Conflict
from servicekit.web.app import ServiceApp

REGISTRY: Final = (
    "employment-registry.certificate",
    "employment-registry.flexible-employment",
    "employment-registry.unemployment",
)
AGENCY: Final = (
    "employer-auth.authorisation-code",
    "employer-auth.binding",
    "employer-auth.objection",
    "employer-auth.unit-data",
)
# Obviously made up, and never sent anything: the numbers belong to nobody.
DEMO: Final = {
    "admin": Appointment("示例管理员", "demo_admin", "13800000001", "44", (), ("admin",)),
    "reviewer_tianhe": Appointment(
        "示例审核甲", "demo_tianhe", "13800000002", "440106", REGISTRY, ("reviewer",)
    ),
    "reviewer_nanshan": Appointment(
        "示例审核乙", "demo_nanshan", "13800000003", "440305", REGISTRY, ("reviewer",)
    ),
    "agency_tianhe": Appointment(  # 社保经办机构: window and first review
        "示例经办甲", "demo_agency", "13800000024", "440106", AGENCY, ("window", "reviewer")
    ),
    "approver_tianhe": Appointment(  # and the second pair of eyes
        "示例经办乙", "demo_approver", "13800000025", "440106", AGENCY, ("approver",)
    ),
}


def seed(app: ServiceApp) -> None:
    """Write our own clients always, the demo accounts where a demo file is asked for.

    Accounts are made once and kept between runs, with the file that tells their passwords.

    Raises:
        RuntimeError: the accounts are there but their file is gone.
    """
    settings = app.settings
    assert isinstance(settings, Settings)
    now = app.clock.now()
    with app.database.transaction() as db:
        clients.write_own(db, settings, now=now)
    if settings.demo_file is not None:
        _seed_accounts(app, Path(settings.demo_file))


def _seed_accounts(app: ServiceApp, path: Path) -> None:
    own: Parts = app.extensions[KEY]
    known: dict[str, Any] = {}
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
    accounts = known.setdefault("officers", {})
    missing = [name for name in DEMO if name not in accounts]
    with app.database.transaction() as db:
        for name in missing:
            appointment = DEMO[name]
            password = officers.make_password()
            try:
                _, made = officers.appoint(
                    db,
                    appointment,
                    by=None,
                    hasher=own.hasher,
                    now=app.clock.now(),
                    password=password,
                )
            except Conflict:
                raise RuntimeError(f"{path} is gone but its accounts are there") from None
            accounts[name] = {
                "login_name": appointment.login_name,
                "password": made.password,
                "totp_secret": made.totp_secret,
                "region": appointment.region,
                "roles": list(appointment.roles),
                "businesses": list(appointment.businesses),
            }
        if "units" not in known:
            try:
                known |= demo_unit.make(db, hasher=own.hasher, now=app.clock.now())
            except Conflict:
                raise RuntimeError(f"{path} is gone but its accounts are there") from None
            missing.append("unit")
        if missing:
            _write(path, known)


def _write(path: Path, known: dict[str, Any]) -> None:
    # Only the owner reads it, and it is whole or not there.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(json.dumps(known, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
