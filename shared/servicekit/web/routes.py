"""A route that learns to write its address only when somebody asks for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """Reads addresses as werkzeug's own rule does.

    Werkzeug compiles two functions per route that write its address (``url_for``). Services only
    read addresses, and those functions are three quarters of what putting a service together costs.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def write(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return write
