"""Whether a good token is good enough for a location: for whom it is, of what kind, which level."""

from __future__ import annotations

from enum import Enum
from typing import Final

from frontdoor.answers import Answer, refusal
from frontdoor.content import Demand
from frontdoor.content_reading import scale_and_step
from frontdoor.verifying import Identity


class Refusal(Enum):
    """Why a token is not enough."""

    AUDIENCE = "audience"
    KIND = "kind"
    LEVEL = "level"


class Demands:
    """What one location wants.

    Args:
        demand: as the configuration says.
        known: the audiences the verifier lets pass anyway.
        realm: for the challenge.
    """

    def __init__(self, demand: Demand, known: frozenset[str], realm: bytes) -> None:
        self.demand = demand
        self._audiences = frozenset(demand.audiences)
        self._scales = dict(filter(None, map(scale_and_step, demand.levels)))
        self.trivial = self._audiences >= known and not demand.levels and not demand.kinds
        self._answers: Final[dict[Refusal, Answer]] = _answers(demand, realm)

    def refuse(self, identity: Identity) -> Answer | None:
        """The answer to a token that is not enough; None lets it pass."""
        known = identity.admitted
        if self.demand not in known:
            known[self.demand] = self._judge(identity)
        refused = known[self.demand]
        return None if refused is None else self._answers[refused]

    def _judge(self, identity: Identity) -> Refusal | None:
        claims = identity.claims
        if self._audiences.isdisjoint(identity.audiences):
            return Refusal.AUDIENCE
        if self.demand.kinds and claims.get("sub_type") not in self.demand.kinds:
            return Refusal.KIND
        if self._scales:
            found = scale_and_step(str(claims.get("acr")))
            least = None if found is None else self._scales.get(found[0])
            if found is None or least is None or found[1] < least:
                return Refusal.LEVEL
        return None


def _answers(demand: Demand, realm: bytes) -> dict[Refusal, Answer]:
    levels = " ".join(demand.levels).encode()
    return {
        Refusal.AUDIENCE: refusal(
            401,
            "invalid-token",
            "登录凭证不适用于该服务，请重新登录",
            b'WWW-Authenticate: Bearer realm="%b", error="invalid_token"' % realm,
        ),
        Refusal.KIND: refusal(403, "kind-not-admitted", "当前账号类型不能办理该业务"),
        Refusal.LEVEL: refusal(
            401,
            "level-too-low",
            "当前账号的实名等级不足，请先提升实名等级",
            b'WWW-Authenticate: Bearer realm="%b", error="insufficient_user_authentication",'
            b' acr_values="%b"' % (realm, levels),
        ),
    }
