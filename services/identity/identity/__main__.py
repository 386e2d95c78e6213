"""The command line: the first admin, made where the database is, not over the network."""

from __future__ import annotations

import argparse
import getpass
import sys

import segno

from identity.app import create_app
from identity.officers import actions, rules
from identity.parts import KEY, Parts
from servicekit.errors import Refusal
from servicekit.settings import BadSettings


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
    asked = parser.parse_args(arguments)
    try:
        return create_admin(asked)
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


if __name__ == "__main__":
    sys.exit(main())
