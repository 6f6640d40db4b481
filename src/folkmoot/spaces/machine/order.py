"""Keeping order: mute, remove, lock. One function for each command.

Mute is as people know it from X: a host silences, the person alone opens the microphone again. Who abuses that is
removed. There is no state in which somebody can't unmute, so no seat can be left silent by mistake.
"""

from folkmoot.spaces import commands
from folkmoot.spaces.changes import LetBackIn, Locked, Muted, Removed, Unlocked, Unmuted, VacatedBecause
from folkmoot.spaces.machine.turn import Turn, require
from folkmoot.spaces.model import Member, MutedBy, Role
from folkmoot.spaces.refusals import Code, RefusalError


def mute(turn: Turn, actor: Member, command: commands.Mute) -> None:
    target = turn.space.member(command.account_id)
    own = target.account_id == actor.account_id
    require(own or actor.role.commands, Code.NOT_HOST_OR_CO_HOST)
    require(own or actor.role.rank > target.role.rank, Code.OUTRANKED)
    _mute(turn, target, MutedBy.SELF if own else MutedBy.HOST)


def _mute(turn: Turn, target: Member, by: MutedBy) -> None:
    if target.seat is None:
        raise RefusalError(Code.NOT_ON_STAGE)
    require(target.muted_by is None, Code.ALREADY_MUTED)
    turn.say(Muted(account_id=target.account_id, seat=target.seat, by=by))


def unmute(turn: Turn, actor: Member, _: commands.Unmute) -> None:
    if actor.seat is None:
        raise RefusalError(Code.NOT_ON_STAGE)
    require(actor.muted_by is not None, Code.NOT_MUTED)
    turn.say(Unmuted(account_id=actor.account_id, seat=actor.seat))


def mute_all(turn: Turn, _actor: Member, _: commands.MuteAll) -> None:
    speakers = [member for member in turn.space.stage if member.role is Role.SPEAKER and not member.muted_by]
    require(bool(speakers), Code.NOBODY_TO_MUTE)
    for speaker in speakers:
        _mute(turn, speaker, MutedBy.HOST)


def remove(turn: Turn, actor: Member, command: commands.Remove) -> None:
    """Also somebody who only listens, and (known members) somebody whose standing is lost."""
    target = turn.space.member(command.account_id)
    if target.account_id not in turn.space.members:
        turn.facts_about(target.account_id)
    require(not target.removed, Code.REMOVED)
    require(actor.role.rank > target.role.rank, Code.OUTRANKED)
    turn.vacate(target, VacatedBecause.REMOVED)
    turn.say(Removed(account_id=target.account_id, by=actor.account_id))


def let_back(turn: Turn, actor: Member, command: commands.LetBack) -> None:
    target = turn.space.member(command.account_id)
    require(target.removed, Code.NOT_REMOVED)
    turn.say(LetBackIn(account_id=target.account_id, by=actor.account_id))


def lock(turn: Turn, _actor: Member, _: commands.Lock) -> None:
    require(not turn.space.locked, Code.ALREADY_LOCKED)
    turn.say(Locked())


def unlock(turn: Turn, _actor: Member, _: commands.Unlock) -> None:
    require(turn.space.locked, Code.NOT_LOCKED)
    turn.say(Unlocked())
