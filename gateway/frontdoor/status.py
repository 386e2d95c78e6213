"""What the gateway looks like now: servers, queues, memories; as figures and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from frontdoor.peers import Peer
from frontdoor.pools import Pool

if TYPE_CHECKING:
    from frontdoor.app import Gateway


def state_of(peer: Peer, now: float) -> str:
    """``up``, ``unwell`` (health checks), ``shut`` (breaker), ``rests`` or ``full``."""
    if peer.unwell:
        return "unwell"
    if peer.shut:
        return "shut"
    if peer.rests_until > now:
        return "rests"
    return "full" if 0 < peer.most <= peer.busy else "up"


def as_json(gateway: Gateway, now: float) -> dict[str, Any]:
    """The whole state of one worker, with the figures all of them share."""
    return {
        "connections": gateway.connections,
        "draining": any(door.draining for door in gateway.doors.values()),
        "keys_ready": gateway.keys.ready,
        "caught_up": not gateway.catching_up.behind,
        "upstreams": {name: _upstream(gateway, pool, now) for name, pool in gateway.pools.items()},
        "bodies": {
            "in_memory": sum(door.bodies.total for door in gateway.doors.values()),
            "in_files": sum(door.spooled.total for door in gateway.doors.values()),
        },
        "caches": {name: {"bytes": memory.bytes} for name, memory in gateway.memories.items()},
    }


def _upstream(gateway: Gateway, pool: Pool, now: float) -> dict[str, Any]:
    servers = [
        {
            "address": str(peer.server.address),
            "state": state_of(peer, now),
            "in_hand": peer.busy,
            "idle": len(peer.idle),
            "backup": peer.server.backup,
        }
        for peer in pool.peers
    ]
    events = gateway.upstream_measures.figures(pool.upstream.name)
    return {"servers": servers, "waiting": len(pool.waiting), **events}


def as_figures(gateway: Gateway, now: float) -> Iterator[str]:
    """Lines in Prometheus' text form."""
    yield "# TYPE jiuye_gateway_upstream_events_total counter"
    for name in gateway.pools:
        for event, count in gateway.upstream_measures.figures(name).items():
            labels = f'upstream="{name}",event="{event}"'
            yield f"jiuye_gateway_upstream_events_total{{{labels}}} {count}"
    yield "# TYPE jiuye_gateway_upstream_servers gauge"
    for name, pool in gateway.pools.items():
        states = [state_of(peer, now) for peer in pool.peers]
        for state in sorted({"up", *states}):
            labels = f'upstream="{name}",state="{state}"'
            yield f"jiuye_gateway_upstream_servers{{{labels}}} {states.count(state)}"
    name = "jiuye_gateway_upstream_requests_total"
    yield f"# HELP {name} At locations that lead there, refusals of the gateway's own among them."
    yield f"# TYPE {name} counter"
    yield from gateway.measures.by_upstream(gateway.upstreams_of)
    yield "# TYPE jiuye_gateway_cache_bytes gauge"
    for name, memory in gateway.memories.items():
        yield f'jiuye_gateway_cache_bytes{{zone="{name}"}} {memory.bytes}'
