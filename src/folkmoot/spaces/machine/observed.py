"""What the machinery reports: connections, time, and what happened to an account elsewhere."""

from folkmoot.spaces import commands
from folkmoot.spaces.changes.life import HostLost, Noticed
from folkmoot.spaces.changes.people import WentOut, WentOutBecause
from folkmoot.spaces.changes.seats import Connected, Disconnected, VacatedBecause
from folkmoot.spaces.machine.life import change_host
from folkmoot.spaces.machine.turn import Turn
from folkmoot.spaces.model import (
    RECONNECT_GRACE_MS,
    EndReason,
    Member,
    Notice,
    NoticeKind,
    Role,
    Space,
    SpaceState,
)
from folkmoot.spaces.refusals import Code, RefusalError


def seat_connected(turn: Turn, observation: commands.SeatConnected) -> None:
    member = _seated(turn.space, observation.seat)
    if not member.connected:
        turn.say(Connected(account_id=member.account_id, seat=observation.seat))


def seat_lost(turn: Turn, observation: commands.SeatLost) -> None:
    """The grace runs from the first report: a repeated one, or a failed return, doesn't extend it."""
    member = _seated(turn.space, observation.seat)
    if member.connected:
        until_ms = turn.now_ms + RECONNECT_GRACE_MS
        turn.say(Disconnected(account_id=member.account_id, seat=observation.seat, until_ms=until_ms))


def _seated(space: Space, seat: int) -> Member:
    member = space.seated(seat)
    if member is None:
        raise RefusalError(Code.NO_SUCH_SEAT)
    return member


def tick(turn: Turn, _: commands.Tick) -> None:
    turn.let_time_pass()
    if turn.space.state is not SpaceState.LIVE:
        return
    if turn.space.hold_until_ms is not None and turn.space.hold_until_ms <= turn.now_ms:
        turn.end(EndReason.HOST_ABSENT)
        return
    for member in turn.space.stage:
        if member.grace_until_ms is not None and member.grace_until_ms <= turn.now_ms:
            turn.vacate(member, VacatedBecause.CONNECTION_LOST)


def standing_lost(turn: Turn, observation: commands.StandingLost) -> None:
    """Off the stage and out at once. In a Space that has not started nothing is taken: the gate keeps the account
    out as long as the sanction lasts, and a lift gives everything back."""
    member = turn.space.member(observation.account_id)
    if turn.space.state is not SpaceState.LIVE or member.blank or member.removed:
        return
    turn.vacate(member, VacatedBecause.STANDING_LOST)
    if member.role is Role.HOST:
        successor = _successor(turn.space) if observation.successor is None else _named(turn.space, observation)
        if successor is None:
            # Nobody to carry on: the host's name stays on the Space, the hold runs, and it ends by itself.
            turn.say(HostLost(account_id=member.account_id))
            return
        change_host(turn, successor, Role.LISTENER)
        kind = NoticeKind.HOST_SUSPENDED if observation.suspended else NoticeKind.HOST_GONE
        turn.say(Noticed(notice=Notice(kind=kind, at_ms=turn.now_ms, host_id=successor.account_id)))
    turn.say(WentOut(account_id=member.account_id, reason=WentOutBecause.STANDING_LOST))


def _named(space: Space, observation: commands.StandingLost) -> Member:
    assert observation.successor is not None
    target = space.member(observation.successor)
    if target.role not in (Role.CO_HOST, Role.SPEAKER):
        raise RefusalError(Code.NOT_ON_STAGE)
    return target


def _successor(space: Space) -> Member | None:
    """The co-host who carries on: connected before not, then the longest on stage."""
    no_seat = space.next_seat
    return min(
        space.co_hosts,
        key=lambda member: (not member.connected, member.seat or no_seat, member.account_id),
        default=None,
    )


def member_blocked(turn: Turn, observation: commands.MemberBlocked) -> None:
    member = turn.space.member(observation.account_id)
    if turn.space.state.terminal or member.blank or member.removed or member.role is Role.HOST:
        return
    turn.vacate(member, VacatedBecause.BLOCKED)
    turn.say(WentOut(account_id=member.account_id, reason=WentOutBecause.BLOCKED))


def stop(turn: Turn, observation: commands.Stop) -> None:
    if turn.space.state is not SpaceState.LIVE:
        raise RefusalError(Code.ENDED if turn.space.state.terminal else Code.NOT_LIVE)
    turn.end(observation.reason)
