"""Which clauses does a test prove? `make trace` prints the clauses without one, by section.

The clauses are data (`docs/requirements/clauses.json`); a test names what it proves with
`@pytest.mark.req("EMP-03")`. Exit status 1 when a test names a clause that does not exist; clauses
without a test are listed, not refused, because later matters bring their own.
"""

import argparse
import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLAUSES = ROOT / "docs" / "requirements" / "clauses.json"
TEST_ROOTS = ("shared", "gateway", "simulators", "services", "tests")


def read_clauses() -> dict[str, dict[str, str]]:
    """All clauses by id, in the order of the file."""
    return {clause["id"]: clause for clause in json.loads(CLAUSES.read_text("utf-8"))}


def marks_in(path: Path) -> Iterator[tuple[str, int]]:
    """Every clause id named by a `req` mark in the file, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "req"
        ):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, node.lineno


def proofs() -> dict[str, list[str]]:
    """Clause id → the places of the tests that name it."""
    found: dict[str, list[str]] = defaultdict(list)
    for root in TEST_ROOTS:
        for path in sorted((ROOT / root).rglob("test_*.py")):
            for clause, line in marks_in(path):
                found[clause].append(f"{path.relative_to(ROOT)}:{line}")
    return found


def main() -> int:
    """Print what is proved and what is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proved", action="store_true", help="list the proved clauses and where")
    options = parser.parse_args()
    clauses, found = read_clauses(), proofs()
    if options.proved:
        for clause in clauses:
            for place in found.get(clause, ()):
                print(f"{clause}\t{place}")
    else:
        section = ""
        for clause_id, clause in clauses.items():
            if clause_id not in found:
                if clause["section"] != section:
                    section = clause["section"]
                    print(f"\n{section}")
                print(f"  {clause_id:8} {clause['text'][:100]}")
    unknown = sorted(set(found) - set(clauses))
    for clause_id in unknown:
        print(f"no such clause: {clause_id} in {', '.join(found[clause_id])}", file=sys.stderr)
    print(f"\n{len(set(found) & set(clauses))} of {len(clauses)} clauses have a test")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
