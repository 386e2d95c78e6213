"""How much of what happened at an account is shown, and what is a device called?"""

from __future__ import annotations

from typing import Final

SHOWN_LOGINS: Final = 20
# In this order: every browser says it is several others too.
_BROWSERS: Final = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("HarmonyOS", "鸿蒙"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_label(agent: str) -> str:
    """The browser and the system of a User-Agent header, in a few words."""
    browsers = [name for mark, name in _BROWSERS if mark in agent]
    systems = [name for mark, name in _SYSTEMS if mark in agent]
    return " · ".join([*browsers[:1], *systems[:1]]) or "未知设备"
