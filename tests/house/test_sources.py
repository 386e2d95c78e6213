"""The house rules that a linter cannot know, read from the sources themselves."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("sources")  # parsed once

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("shared", "gateway", "simulators", "services", "tools")
JUNK = {"utils", "helpers", "common", "misc", "base"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40

# The settings read the environment; tests, simulators and tools stand outside the product.
ENVIRONMENT_READERS = (
    "shared/servicekit/settings.py",
    "shared/servicekit/testing/",
    "simulators/",
    "tools/",
)
CLOCKS = ("shared/servicekit/clock.py", "shared/servicekit/testing/", "tools/", "simulators/")


def sources() -> list[str]:
    """Every module of the product, relative to the root, without tests."""
    found = (path.relative_to(ROOT) for room in PRODUCT for path in (ROOT / room).rglob("*.py"))
    return sorted(str(path) for path in found if not {"tests", "__pycache__"} & set(path.parts))


@cache
def parsed(place: str) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse((ROOT / place).read_text("utf-8"), place)


def is_introduced(place: str, tree: ast.Module) -> Iterator[str]:
    """A module opens with one sentence."""
    if not ast.get_docstring(tree):
        yield f"{place}: say in one sentence what this file is for"


def lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """What a function says about itself does not make it long."""
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0


def is_small(place: str, tree: ast.Module) -> Iterator[str]:
    """A function fits on a screen, a file in a head."""
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > LONGEST_FILE:
        yield f"{place}: {last} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1 - lines_of_docstring(node)
            if length > LONGEST_FUNCTION and "/migrations/versions/" not in place:
                yield f"{place}:{node.lineno}: {node.name} has {length} lines"


def has_a_name(place: str, tree: ast.Module) -> Iterator[str]:
    """No drawer for what nobody could name."""
    if JUNK & {Path(place).stem, *Path(place).parts}:
        yield f"{place}: name what is in it"


def keeps_the_clock_outside(place: str, tree: ast.Module) -> Iterator[str]:
    """Time is aware, and a service takes it from the clock it was given."""
    if place.startswith(CLOCKS):
        return
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        if owner.endswith(("datetime", "date")) and name in {"utcnow", "utcfromtimestamp", "today"}:
            yield f"{place}:{node.lineno}: {owner}.{name}() is naive"
        if owner.endswith("datetime") and name == "now":
            if not node.args and not node.keywords:
                yield f"{place}:{node.lineno}: datetime.now() is naive"
            elif place.startswith("services/"):
                yield f"{place}:{node.lineno}: read the clock you were given"


def reads_no_environment(place: str, tree: ast.Module) -> Iterator[str]:
    """Settings are declared once, in settings classes."""
    if place.startswith(ENVIRONMENT_READERS):
        return
    for node in ast.walk(tree):
        named = isinstance(node, ast.Attribute) and ast.unparse(node) in {
            "os.environ",
            "os.getenv",
            "os.environb",
        }
        imported = isinstance(node, ast.ImportFrom) and node.module == "os"
        if named or (
            imported and {"environ", "getenv"} & {alias.name for alias in node.names}  # type: ignore[union-attr]
        ):
            yield f"{place}:{node.lineno}: read it through servicekit.settings"


def names_a_state(node: ast.expr) -> bool:
    """`State.DRAFT` or `"draft"`: a comparison with it is a decision."""
    return (isinstance(node, ast.Attribute) and node.attr.isupper()) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def looks_at_the_whole_text(place: str, tree: ast.Module) -> Iterator[str]:
    """`$` lets a line break pass behind what it ends; marshmallow looks at the start alone."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called, first = ast.unparse(node.func), node.args[0] if node.args else None
        if called == "validate.Regexp":
            yield f"{place}:{node.lineno}: Whole of servicekit.web.parsing looks at the whole text"
        text = first.value if isinstance(first, ast.Constant) else None
        if called.startswith("re.") and isinstance(text, str) and text.endswith("$"):
            yield f"{place}:{node.lineno}: use fullmatch instead of $"


def leaves_states_to_the_rules(place: str, tree: ast.Module) -> Iterator[str]:
    """Only workflow tables, rules and `advance` know what a state means; SQL may select by it."""
    if not place.startswith("services/") or place.endswith("/rules.py"):
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    conditions = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "where"]
    selecting = {id(part) for call in conditions for a in call.args for part in ast.walk(a)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and id(node) not in selecting:
            sides = (node.left, *node.comparators)
            about = any(isinstance(side, ast.Attribute) and side.attr == "state" for side in sides)
            if about and any(names_a_state(side) for side in sides):
                yield f"{place}:{node.lineno}: {ast.unparse(node)} belongs into rules.py"


Rule = Callable[[str, ast.Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    is_introduced,
    is_small,
    has_a_name,
    keeps_the_clock_outside,
    reads_no_environment,
    leaves_states_to_the_rules,
    looks_at_the_whole_text,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    broken = []
    for place in sources():
        broken += rule(place, parsed(place))
    assert not broken, "\n".join(broken)


LONG = "def f():\n" + "    x = 1\n" * 45


@pytest.mark.parametrize(
    ("rule", "place", "text"),
    [
        (is_introduced, "services/x/x/app.py", "x = 1"),
        (is_small, "services/x/x/app.py", LONG),
        (is_small, "services/x/x/app.py", "x = 1\n" * 301),
        (has_a_name, "services/x/x/utils.py", ""),
        (has_a_name, "services/x/common/names.py", ""),
        (keeps_the_clock_outside, "gateway/frontdoor/x.py", "datetime.now()"),
        (keeps_the_clock_outside, "shared/servicekit/x.py", "datetime.datetime.utcnow()"),
        (keeps_the_clock_outside, "services/x/x/y/actions.py", "datetime.now(UTC)"),
        (keeps_the_clock_outside, "services/x/x/y/actions.py", "date.today()"),
        (reads_no_environment, "services/x/x/app.py", "import os\nos.environ['A']"),
        (reads_no_environment, "gateway/frontdoor/x.py", "from os import environ"),
        (leaves_states_to_the_rules, "services/x/x/y/actions.py", "a.state == State.DRAFT"),
        (leaves_states_to_the_rules, "services/x/x/y/api.py", "if State.DRAFT is a.state: pass"),
        (leaves_states_to_the_rules, "services/x/x/y/queries.py", "f(a.state != 'draft')"),
        (looks_at_the_whole_text, "services/x/x/y/schemas.py", "validate.Regexp('[0-9]+')"),
        (looks_at_the_whole_text, "shared/servicekit/x.py", "re.compile(r'^[0-9]+$')"),
    ],
)
def test_a_module_that_breaks_the_rule_is_found(rule: Rule, place: str, text: str) -> None:
    assert list(rule(place, ast.parse(text)))


def test_the_kit_stays_within_its_budget() -> None:
    """docs/decisions/0007: what only one room uses moves out."""
    kit = [p for p in sources() if p.startswith("shared/servicekit/") and "/testing/" not in p]
    assert sum((ROOT / p).read_text("utf-8").count("\n") for p in kit) <= 19_500
    assert len(kit) <= 130
