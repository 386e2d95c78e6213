"""`make run`: the whole suite, or one service, on this machine until Ctrl-C."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from choice import ROOT, CannotRunError, Choice, alone
from suite import Suite
from supervisor import RoomFailedError

from servicekit.testing.embedded import PostgresFailedError


def main() -> int:
    """Start, tell where everything is, keep it running, stop it in order.

    Returns: 0 after Ctrl-C or SIGTERM, 1 when it could not start or a room keeps failing.
    """
    arguments = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        choice = chosen(arguments)
        with alone(choice.state):
            return seed(choice) if arguments.seed else run(choice)
    except (CannotRunError, PostgresFailedError, RoomFailedError) as reason:
        print(reason, file=sys.stderr)
        return 1


def run(choice: Choice) -> int:
    """Run the suite until a signal; whatever happens, everything is stopped at the end."""
    suite = Suite(choice, say=tell)
    status = 0
    try:
        suite.start()
        welcome(suite)
        suite.supervisor.watch(until=lambda: False)
    except KeyboardInterrupt:
        tell("stopping …")
    except RoomFailedError as reason:
        print(reason, file=sys.stderr)
        status = 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        suite.stop()
    tell("stopped")
    return status


def seed(choice: Choice) -> int:
    """Migrate one service and write its demo rows; nothing stays running."""
    suite = Suite(choice, say=tell)
    try:
        suite.prepare(simulators=False)
        tell(f"{choice.only}: migrated and seeded")
    finally:
        suite.stop()
    return 0


def welcome(suite: Suite) -> None:
    """Print the addresses and who may log in."""
    choice = suite.choice
    took = json.loads((choice.state / "run.json").read_text())["start_seconds"]
    if choice.only:
        tell(f"{choice.only} answers on http://127.0.0.1:{choice.services[choice.only]} ({took} s)")
        tell("  `make token` prints a bearer token for it")
    else:
        tell(f"the suite answers on {choice.public_url} after {took} s")
        tell(f"  log in          {choice.public_url}/sso/login?return_to=/api/identity/v1/me")
    tell(f"  SMS inbox       {choice.simulators_url}/sms")
    tell(f"  outside systems {choice.simulators_url}/admin")
    tell(f"  bus             {choice.bus}")
    tell(f"  logs            {choice.state / 'log'}")
    for line in accounts(choice.state / "demo.json"):
        tell(f"  {line}")
    tell(
        "Ctrl-C stops everything" + ("" if choice.only else "; `make demo` walks one life through")
    )


def accounts(file: Path) -> list[str]:
    """The demo accounts, one line each."""
    if not file.exists():
        return []
    known = json.loads(file.read_text())
    officers = [
        f"demo officer    {facts['login_name']} · {facts['password']} · TOTP {facts['totp_secret']}"
        f" · region {facts['region']}"
        for facts in known.get("officers", {}).values()
    ]
    others = [("demo person", "persons"), ("demo unit", "units")]
    return officers + [
        f"{title:<15} {facts['login_name']} · {facts['password']} · level {facts['level']}"
        for title, section in others
        for facts in known.get(section, {}).values()
    ]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; what a developer sets more often is read from the environment."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--only", default="", metavar="SERVICE", help="one service alone")
    parser.add_argument("--seed", default="", metavar="SERVICE", help="its demo rows, then stop")
    parser.add_argument("--state", type=Path, default=ROOT / "var", help="where its data live")
    parser.add_argument(
        "--forgetful", action="store_true", help="no fsync: for tests, whose data nobody misses"
    )
    return parser.parse_args(arguments)


def chosen(arguments: argparse.Namespace) -> Choice:
    """Where to run, from the command line, `PORT`, `BASE_PORT` and `BUS`.

    Raises: CannotRunError when a port is no number.
    """
    try:
        return Choice(
            state=arguments.state.resolve(),
            port=int(os.environ.get("PORT", "8080")),
            base_port=int(os.environ.get("BASE_PORT", "8100")),
            bus=os.environ.get("BUS") or "local",
            only=arguments.only or arguments.seed,
            durable=not arguments.forgetful,
        )
    except ValueError as error:
        raise CannotRunError(f"PORT and BASE_PORT are numbers: {error}") from None


def tell(line: str) -> None:
    """One line on the console, at once."""
    print(line, flush=True)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
