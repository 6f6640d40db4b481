"""Stopping a range of addresses, and letting it in again. Each runs inside `Gate.act`."""

from sqlalchemy import delete, func, insert, select, update

from folkmoot.gate import Acting, Action, Refused
from folkmoot.gate.actions import END_MS_MAX, revoke
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.networks import queries
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import NETWORKS, Network, is_large, parse_address, subjects_of
from folkmoot.storage.tables.joining import network_stops

STOPS_MAX = 5_000  # each process holds all of them
KEPT_AFTER_END_MS = 90 * 86_400_000


async def stop(
    acting: Acting,
    network: Network,
    severity: Severity,
    *,
    reason: str,
    until_ms: int | None = None,
    own_address: str | None = None,
    confirmed: bool = False,
) -> Stop:
    """Stop a network, without end or until a time (Unix ms). What addresses in it hold open ends at `NO_ACCESS`.

    `own_address`: from where it is decided. Raises Refused 422: no reason; an end that is not ahead; stopped
    already; unless `confirmed`, one that is large or holds the moderator's own address.
    """
    acting.require(Action.MODERATE)
    _check_end(acting, until_ms)
    if not confirmed:
        _ask_twice(network, own_address)
    if await queries.of_network(acting.tx, network) is not None:
        raise Refused("stopped_already", f"{network} is stopped already: change that, or lift it.", status=422)
    await _require_room(acting)
    made = Stop(
        acting.tx.new_id(),
        network,
        severity,
        clean_text(reason, "reason"),
        until_ms,
        acting.viewer.account_id,
        acting.now_ms,
    )
    await acting.tx.connection.execute(
        insert(network_stops).values(
            id=made.id,
            network=str(network),
            severity=severity.value,
            reason=made.reason,
            until_ms=until_ms,
            decided_by=made.decided_by,
            decided_at_ms=made.decided_at_ms,
        )
    )
    await _tell(acting, made)
    return made


async def change(
    acting: Acting,
    stop_id: int,
    *,
    severity: Severity,
    reason: str,
    until_ms: int | None,
    own_address: str | None = None,
    confirmed: bool = False,
) -> Stop:
    """Decide anew about a network that is stopped. Raises Refused as `stop` does, and 404."""
    acting.require(Action.MODERATE)
    before = await queries.by_id(acting.tx, stop_id)
    if before is None:
        raise _not_stopped()
    _check_end(acting, until_ms)
    if not confirmed:
        _ask_twice(before.network, own_address)
    decided = {
        "severity": severity.value,
        "reason": clean_text(reason, "reason"),
        "until_ms": until_ms,
        "decided_by": acting.viewer.account_id,
        "decided_at_ms": acting.now_ms,
    }
    await acting.tx.connection.execute(update(network_stops).where(network_stops.c.id == stop_id).values(**decided))
    after = await queries.by_id(acting.tx, stop_id)
    assert after is not None
    await _tell(acting, after)
    return after


async def lift(acting: Acting, stop_id: int) -> Stop:
    """Let a network in again; return what held. Raises Refused 404."""
    acting.require(Action.MODERATE)
    held = await queries.by_id(acting.tx, stop_id)
    if held is None:
        raise _not_stopped()
    await acting.tx.connection.execute(
        update(network_stops).where(network_stops.c.id == stop_id).values(lifted_at_ms=acting.now_ms)
    )
    await revoke(acting, NETWORKS)
    return held


async def forget_ended(acting: Acting) -> None:
    """Delete what has been over or lifted for long."""
    before_ms = acting.now_ms - KEPT_AFTER_END_MS
    for ended in (network_stops.c.until_ms, network_stops.c.lifted_at_ms):
        await acting.tx.connection.execute(delete(network_stops).where(ended < before_ms))


async def _tell(acting: Acting, made: Stop) -> None:
    """Every process reads its book anew, and what hangs on these addresses ends."""
    version = await revoke(acting, NETWORKS)
    if made.severity is Severity.NO_ACCESS:
        for subject in subjects_of(made.network):
            await revoke(acting, subject, to=version)


def _check_end(acting: Acting, until_ms: int | None) -> None:
    if until_ms is not None and not acting.now_ms < until_ms <= END_MS_MAX:
        raise Refused("end_is_past", "The end has to lie ahead.", status=422)


def _ask_twice(network: Network, own_address: str | None) -> None:
    own = parse_address(own_address or "")
    if own is not None and own.version == network.version and own in network:
        raise Refused(
            "catches_yourself", f"You are in {network} yourself ({own}). Confirm it if you mean it.", status=422
        )
    if is_large(network):
        raise Refused(
            "network_large", f"{network} holds thousands of customers. Confirm it if you mean it.", status=422
        )


async def _require_room(acting: Acting) -> None:
    held = select(func.count()).select_from(network_stops).where(queries.is_in_force(acting.now_ms))
    if (await acting.tx.connection.execute(held)).scalar_one() >= STOPS_MAX:
        raise Refused("too_many_networks", f"At most {STOPS_MAX} networks are stopped: lift some.", status=422)


def _not_stopped() -> Refused:
    return Refused("not_found", "This network isn't stopped.", status=404)
