"""Every directive of the configuration file, declared once; docs/gateway.md shows this table."""

from __future__ import annotations

from typing import Final

from frontdoor.declared.access import CORS, LIMITS, TOKENS
from frontdoor.declared.blocks import BLOCKS, SITE, TAKEN
from frontdoor.declared.content import COMPRESSION, FILES, KEPT, OWN
from frontdoor.declared.passing import BOUNDS, HELD, PASSING
from frontdoor.declared.upstreams import UPSTREAMS
from frontdoor.directives import Directive

TABLE: Final = (
    *BLOCKS,
    *SITE,
    *UPSTREAMS,
    *PASSING,
    *HELD,
    *BOUNDS,
    *TOKENS,
    *LIMITS,
    *CORS,
    *FILES,
    *KEPT,
    *COMPRESSION,
    *OWN,
    *TAKEN,
)

DIRECTIVES: Final = {
    name: tuple(directive for directive in TABLE if directive.name == name)
    for name in dict.fromkeys(directive.name for directive in TABLE)
}


def in_context(name: str, context: str) -> Directive | None:
    """The directive as it may be written in a block; None when it may not stand there."""
    for directive in DIRECTIVES[name]:
        if context in directive.contexts or "any" in directive.contexts:
            return directive
    return None


def as_markdown() -> str:
    """The table of docs/gateway.md."""
    rows = ["| directive | where | default | whose | meaning |", "| --- | --- | --- | --- | --- |"]
    for d in TABLE:
        written = f"{d.name} {d.arguments}".strip().replace("|", "\\|")
        default = f"`{d.default}`" if d.default else ""
        where = ", ".join(d.contexts)
        rows.append(f"| `{written}` | {where} | {default} | {d.like} | {d.meaning} |")
    return "\n".join(rows)
