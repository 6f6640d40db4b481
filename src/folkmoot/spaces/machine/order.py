"""Keeping order: mute, remove, lock. One function for each command.

Mute is as people know it from X: a host silences, the person alone opens the microphone again. Who abuses that is
muted for a time, or removed. The time ends by itself, so no seat can be left silent by mistake.
"""

from folkmoot.gate.model import Action
from folkmoot.spaces import commands
from folkmoot.spaces.changes.life import Locked, Unlocked
from folkmoot.spaces.changes.people import LetBackIn, Removed, Silenced, SilenceEnded
from folkmoot.spaces.changes.seats import Muted, Unmuted, VacatedBecause
from folkmoot.spaces.machine.turn import Turn, require
from folkmoot.spaces.model import Member, MutedBy, Role
from folkmoot.spaces.refusals import Code, RefusalError


def mute(turn: Turn, actor: Member, command: commands.Mute) -> None:
    target = turn.space.member(command.account_id)
    own = target.account_id == actor.account_id
    require(own or actor.role.commands, Code.NOT_HOST_OR_CO_HOST)
    require(own or actor.role.rank > target.role.rank, Code.OUTRANKED)
    if command.seconds is None:
        _mute(turn, target, MutedBy.SELF if own else MutedBy.HOST)
        return
    require(not own, Code.OUTRANKED)
    require(not target.removed, Code.REMOVED)
    if target.account_id not in turn.space.members:
        turn.facts_about(target.account_id)
    until_ms = turn.now_ms + command.seconds * 1000
    turn.say(Silenced(account_id=target.account_id, by=actor.account_id, until_ms=until_ms))
    if target.on_stage and target.muted_by is None:
        _mute(turn, target, MutedBy.HOST)


def let_speak(turn: Turn, actor: Member, command: commands.LetSpeak) -> None:
    target = turn.space.member(command.account_id)
    require(target.muted_until_ms is not None, Code.NOT_MUTED)
    require(actor.role.rank > target.role.rank, Code.OUTRANKED)
    turn.say(SilenceEnded(account_id=target.account_id, by=actor.account_id))


def _mute(turn: Turn, target: Member, by: MutedBy) -> None:
    if target.seat is None:
        raise RefusalError(Code.NOT_ON_STAGE)
    require(target.muted_by is None, Code.ALREADY_MUTED)
    turn.say(Muted(account_id=target.account_id, seat=target.seat, by=by))


def unmute(turn: Turn, actor: Member, _: commands.Unmute) -> None:
    if actor.seat is None:
        raise RefusalError(Code.NOT_ON_STAGE)
    require(actor.muted_by is not None, Code.NOT_MUTED)
    require(actor.keeps(Action.SPEAK), Code.MUTED_FOR_A_TIME)
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
    until_ms = None if command.seconds is None else turn.now_ms + command.seconds * 1000
    turn.say(Removed(account_id=target.account_id, by=actor.account_id, until_ms=until_ms))


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
