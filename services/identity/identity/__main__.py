"""The command line: the first admin and accounts of former systems, where the database is."""

from __future__ import annotations

import argparse
import csv
import getpass
import sys
from itertools import islice
from pathlib import Path
from typing import Final

import segno

from identity.app import create_app
from identity.intake.actions import Report, take_in
from identity.intake.rules import COLUMNS
from identity.officers import actions, rules
from identity.parts import KEY, Parts
from servicekit.errors import Refusal
from servicekit.settings import BadSettings

_BATCH: Final = 1000


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns: 0; 1 when it was refused, 2 when the settings are wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m identity", description=__doc__)
    commands = parser.add_subparsers(required=True)
    admin = commands.add_parser("create-admin", help="the first admin, with a second factor")
    admin.add_argument("--login-name", required=True)
    admin.add_argument("--name", required=True)
    admin.add_argument("--phone", required=True)
    admin.add_argument("--region", default="44", help="region code prefix, 44 is the province")
    admin.add_argument(
        "--ask-password", action="store_true", help="type the password instead of having one made"
    )
    admin.set_defaults(run=create_admin)
    intake = commands.add_parser("import-accounts", help="persons of the systems before this one")
    intake.add_argument("file", type=Path, help=f"CSV in UTF-8: {', '.join(COLUMNS)}")
    intake.add_argument("--errors", type=Path, required=True, help="CSV of lines that are refused")
    intake.add_argument("--dry-run", action="store_true", help="check everything, keep nothing")
    intake.set_defaults(run=import_accounts)
    asked = parser.parse_args(arguments)
    try:
        code: int = asked.run(asked)
        return code
    except BadSettings as reason:
        sys.stderr.write(f"{reason}\n")
        return 2


def create_admin(asked: argparse.Namespace) -> int:
    """Make the account; print password and authenticator address once."""
    app = create_app()
    own: Parts = app.extensions[KEY]
    appointment = rules.Appointment(
        asked.name, asked.login_name, asked.phone, asked.region, (), ("admin",)
    )
    password = getpass.getpass("密码：") if asked.ask_password else None
    try:
        if password is not None:
            rules.check_password(own.password_policy, password, asked.login_name)
        with app.database.transaction() as db:
            _, credentials = actions.appoint(
                db,
                appointment,
                by=None,
                hasher=own.hasher,
                now=app.clock.now(),
                password=password,
            )
    except Refusal as refusal:
        wrong = (f"\n  {field.message}" for field in refusal.fields)
        sys.stderr.write(f"{refusal.message}{''.join(wrong)}\n")
        return 1
    if password is None:
        sys.stdout.write(f"初始密码（首次登录后须修改）：{credentials.password}\n")
    sys.stdout.write(f"身份验证器登记地址（只显示这一次）：{credentials.totp_uri}\n")
    if sys.stdout.isatty():  # for the phone's camera; a script reads the address
        segno.make_qr(credentials.totp_uri).terminal(compact=True)
    return 0


def import_accounts(asked: argparse.Namespace) -> int:
    """Take a file in, a thousand rows per transaction; name every refused line in the error file.

    The error file holds line numbers, fields and causes, nothing of what stands in the row.
    """
    app, report = create_app(), Report()
    with asked.file.open(encoding="utf-8-sig", newline="") as file:
        rows = enumerate(csv.DictReader(file), start=2)  # line 1 is the head
        while batch := list(islice(rows, _BATCH)):
            try:
                with app.database.transaction() as db:
                    take_in(db, batch, report, now=app.clock.now())
                    if asked.dry_run:
                        raise _DryRunError
            except _DryRunError:
                continue
    with asked.errors.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "field", "code", "message"))
        writer.writerows((n, e.field[1:], e.code, e.message) for n, e in report.refused)
    lines = len({line for line, _ in report.refused})
    sys.stdout.write(
        f"{'试运行，未写入。' if asked.dry_run else ''}迁入 {report.taken}，"
        f"其中同一人多个账号 {report.twice}；已存在 {report.there_already}；有误 {lines} 行，"
        f"见 {asked.errors}\n"
    )
    return 1 if report.refused else 0


class _DryRunError(Exception):
    """Nothing is kept."""


if __name__ == "__main__":
    sys.exit(main())
