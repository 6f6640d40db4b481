"""How a Space begins and ends, what it is called, and who hosts it. One function for each command."""

from folkmoot.spaces import commands
from folkmoot.spaces.changes.asking import Consented
from folkmoot.spaces.changes.life import Cancelled, Edited, Pinned, Started, Unpinned
from folkmoot.spaces.changes.people import HostChanged, RoleChanged, SilenceEnded
from folkmoot.spaces.machine.turn import Turn, require, require_can_be_heard
from folkmoot.spaces.model import CO_HOSTS_MAX, EndReason, Member, Role, Space
from folkmoot.spaces.refusals import Code
from folkmoot.spaces.text import clean_title, clean_topics


def start(turn: Turn, actor: Member, _: commands.Start) -> None:
    turn.say(Started(at_ms=turn.now_ms))
    if turn.space.recorded:
        turn.say(Consented(account_id=actor.account_id, at_ms=turn.now_ms))
    turn.take_seat(actor.account_id, actor.role)


def end(turn: Turn, _actor: Member, _: commands.End) -> None:
    turn.end(EndReason.HOST_ENDED)


def panic(turn: Turn, _actor: Member, _: commands.Panic) -> None:
    turn.end(EndReason.PANIC)


def cancel(turn: Turn, _actor: Member, _: commands.Cancel) -> None:
    turn.say(Cancelled(at_ms=turn.now_ms))


def edit(turn: Turn, _actor: Member, command: commands.Edit) -> None:
    require(command.title is not None or command.topics is not None, Code.NOTHING_TO_CHANGE)
    title = turn.space.title if command.title is None else clean_title(command.title)
    topics = turn.space.topics if command.topics is None else clean_topics(command.topics)
    turn.say(Edited(title=title, topics=topics))


def pin(turn: Turn, _actor: Member, command: commands.Pin) -> None:
    turn.say(Pinned(post_id=command.post_id))


def unpin(turn: Turn, _actor: Member, _: commands.Unpin) -> None:
    require(turn.space.pinned_post_id is not None, Code.NOT_PINNED)
    turn.say(Unpinned())


def make_co_host(turn: Turn, _actor: Member, command: commands.MakeCoHost) -> None:
    target = turn.space.member(command.account_id)
    require_can_be_heard(turn, target)
    require(target.role is not Role.HOST, Code.ALREADY_HOST)
    require(target.role is not Role.CO_HOST, Code.ALREADY_CO_HOST)
    require(target.on_stage, Code.NOT_ON_STAGE)
    require(len(turn.space.co_hosts) < CO_HOSTS_MAX, Code.CO_HOSTS_FULL)
    turn.say(RoleChanged(account_id=target.account_id, role=Role.CO_HOST))


def unmake_co_host(turn: Turn, actor: Member, command: commands.UnmakeCoHost) -> None:
    target = turn.space.member(command.account_id)
    require(actor.role is Role.HOST or target.account_id == actor.account_id, Code.NOT_HOST)
    require(target.role is Role.CO_HOST, Code.NOT_CO_HOST)
    role = Role.SPEAKER if target.on_stage else Role.LISTENER
    turn.say(RoleChanged(account_id=target.account_id, role=role))


def hand_over(turn: Turn, actor: Member, command: commands.HandOver) -> None:
    target = turn.space.member(command.account_id)
    require_can_be_heard(turn, target)
    require(target.role is not Role.HOST, Code.ALREADY_HOST)
    require(target.role in (Role.CO_HOST, Role.SPEAKER), Code.NOT_ON_STAGE)
    change_host(turn, target, _role_after_hosting(turn.space, actor, target))


def change_host(turn: Turn, target: Member, previous_role: Role) -> None:
    previous = turn.space.host_id
    if target.muted_until_ms is not None:
        turn.say(SilenceEnded(account_id=target.account_id, by=None))
    turn.say(HostChanged(account_id=target.account_id, previous=previous, previous_role=previous_role))


def _role_after_hosting(space: Space, host: Member, target: Member) -> Role:
    """Co-host if there is room (the new host's own place among them counts as free), else what the seat makes."""
    others = [member for member in space.co_hosts if member.account_id != target.account_id]
    if len(others) < CO_HOSTS_MAX:
        return Role.CO_HOST
    return Role.SPEAKER if host.on_stage else Role.LISTENER
