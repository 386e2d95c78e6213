"""Everything the API's documentation says stands in English and in Chinese (GW-06)."""

from __future__ import annotations

import pytest

from servicekit.testing.languages import gaps


@pytest.mark.req("GW-06")
def test_every_text_of_every_service_is_in_both_languages(apps) -> None:
    found = gaps(apps.values())
    assert not found, "\n".join(found)
