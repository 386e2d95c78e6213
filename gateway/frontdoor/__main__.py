"""`python -m frontdoor`."""

from __future__ import annotations

import sys

from frontdoor.launch import main

sys.exit(main())
