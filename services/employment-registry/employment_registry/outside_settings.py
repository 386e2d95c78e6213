"""The settings of the outside systems: where they are, and what they may cost us."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import setting

_SIMULATORS = "http://127.0.0.1:8190"


@dataclass(frozen=True)
class OutsideSettings:
    """What the registry is told about the registers that know of persons."""

    population_register_url: str = setting(
        "The police's register of residents (公安人口库).",
        default=f"{_SIMULATORS}/population-register",
        outside=True,
    )
    population_register_secret: str = setting(
        "Signs questions to the register of residents and its answers.", secret=True
    )
    social_security_url: str = setting(
        "Social-insurance and tax data (社会保险与税务征缴).",
        default=f"{_SIMULATORS}/social-security",
        outside=True,
    )
    social_security_secret: str = setting(
        "Signs questions to the social-insurance data and its answers.", secret=True
    )
    outside_off: tuple[str, ...] = setting(
        "Registers that are not asked, by name, comma between them: an installation without them.",
        default=(),
    )
    outside_seconds: float = setting(
        "How long an outside system may take before it counts as failed.", default=5.0
    )
    outside_at_once: int = setting(
        "Questions to one outside system under way at once, per worker.", default=4
    )

    def unfit_outside(self) -> list[str]:
        """What about the registers contradicts production."""
        shared = ("population_register", "social_security")
        return [
            f"EMPLOYMENT_REGISTRY_{name.upper()}_SECRET is the simulator's, which everybody knows"
            for name in shared
            if "simulator" in getattr(self, f"{name}_secret")
        ]
