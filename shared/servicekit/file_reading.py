"""Reads one file in a process of its own: ``python -m servicekit.file_reading <type> < file``.

A picture or a PDF may be made to fill the memory, to run for ever, or to break the library that
reads it: then this process ends and nobody else. It answers with a line of JSON,
``{"pages": 3}`` or ``{"refused": "<code>"}``, and then the file made anew.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, Final

from servicekit.file_kinds import PDF, Unfit

MEMORY: Final = 448 * 1024 * 1024  # bytes of addresses, the libraries themselves among them
CPU_SECONDS: Final = 10


def read(data: bytes, media_type: str) -> tuple[bytes, int]:
    """The file made anew, and its number of pages.

    Raises:
        Unfit
    """
    if media_type == PDF:
        from servicekit import pdf_check

        return pdf_check.rewrite(data)
    from servicekit import pictures

    return pictures.redraw(data, media_type), 1


def main() -> int:
    """Answer for what stands at the standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the file
    try:
        written, pages = read(sys.stdin.buffer.read(), sys.argv[1])
        head: dict[str, Any] = {"pages": pages}
    except Unfit as unfit:
        written, head = b"", {"refused": str(unfit)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
