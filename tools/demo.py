"""`make demo`: one life through the running suite, printed step by step; 0, or the failing step."""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from browser import Answer, UnexpectedError
from life import ACTS, Life
from subscriber import OtherSystem
from unit_life import ACTS as UNIT_ACTS
from unit_life import UnitLife

Step = tuple[str, str, Callable[[], None]]  # what happens, the act's name, and doing it
ROOT = Path(__file__).resolve().parents[1]
WIDTH = 150
# Fields of requests and answers whose values are a person's, or open a door.
PERSONAL = {
    "name", "document_number", "phone", "contact_phone", "card_number", "password",
    "password_again", "sms_code", "login_name", "address", "born_on",
}  # fmt: skip
# What an answer is shown by, when it has any of it.
TELLING = {
    "number", "state", "state_label", "version", "level", "channel", "code", "detail", "title",
    "body", "decision_reason", "kind", "expires_in", "text",
}  # fmt: skip
LONG = re.compile(r"=[^&\s]{20,}")  # one-time values, addresses


def main() -> int:
    """Walk the life against the suite of `make run`.

    Returns: 0, or 1 with the step that failed on the last line.
    """
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--state", type=Path, default=ROOT / "var")
    state = parser.parse_args().state
    try:
        bus_url = json.loads((state / "run.json").read_text())["bus_url"]
    except FileNotFoundError:
        print("no suite runs: start `make run` in another terminal first", file=sys.stderr)
        return 1
    with OtherSystem(bus_url, say=lambda line: print(f"      ◆ {line}", flush=True)) as other:
        life = Life.of_running_suite(state, on_step=show, other_system=other)
        unit = UnitLife.of_running_suite(state, on_step=show)
        steps = [(title, act.__name__, partial(act, life)) for title, act in ACTS]
        steps += [(title, act.__name__, partial(act, unit)) for title, act in UNIT_ACTS]
        return walk(steps)


def walk(steps: Sequence[Step]) -> int:
    """Step after step; stops at the first that fails."""
    started = time.monotonic()
    for number, (title, name, do) in enumerate(steps, 1):
        print(f"\n[{number}/{len(steps)}] {title} — {name.replace('_', ' ')}", flush=True)
        try:
            do()
        except (UnexpectedError, TimeoutError, requests.RequestException) as reason:
            print(f"\nFAILED at step {number} ({title}): {reason}", flush=True)
            return 1
    print(f"\nall {len(steps)} steps in {time.monotonic() - started:.1f} s")
    return 0


def show(method: str, url: str, body: Any, answer: Answer) -> None:
    """One request and its answer, short and without personal data."""
    target = short(url)
    sent = f" {brief(body)}" if body else ""
    got = gist(answer.json) if answer.json is not None else headline(answer)
    print(f"    {method} {target}{sent}"[:WIDTH])
    print(f"      → {answer.status} {got}"[:WIDTH], flush=True)


def short(url: str) -> str:
    """Path and query, without one-time values."""
    parts = urlsplit(url)
    return parts.path + ("?" + LONG.sub("=…", parts.query) if parts.query else "")


def brief(body: Any) -> str:
    """JSON with the personal values covered; of a form only the names."""
    if isinstance(body, dict) and "form_token" in body:
        return f"({', '.join(body)})"
    return json.dumps(covered(body), ensure_ascii=False)


def gist(body: Any) -> str:
    """What matters of an answer: state, level, code; of a list how many and the newest."""
    if isinstance(body, dict) and isinstance(body.get("items"), list):
        newest = gist(body["items"][0]) if body["items"] else ""
        rest = {name: value for name, value in body.items() if name in TELLING}
        return f"{len(body['items'])} items {newest} {brief(rest) if rest else ''}"
    telling = {k: v for k, v in body.items() if k in TELLING} if isinstance(body, dict) else {}
    return brief(telling or body)


def covered(body: Any) -> Any:
    """The same structure; a personal value shows only that it is there."""
    if isinstance(body, dict):
        return {k: "***" if k in PERSONAL and v else covered(v) for k, v in body.items()}
    if isinstance(body, list):
        return [covered(part) for part in body]
    return body


def headline(answer: Answer) -> str:
    """Where a redirect leads, or the title of a page."""
    if "Location" in answer.headers:
        return f"→ {short(answer.headers['Location'])}"
    title = re.search(r"<title>([^<]*)</title>", answer.text)
    return f"《{title[1].strip()}》" if title else ""


if __name__ == "__main__":
    sys.exit(main())
