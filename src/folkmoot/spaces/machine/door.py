"""The ways on stage and off it: asking, inviting, agreeing to the recording. One function for each command."""

from folkmoot.spaces import commands
from folkmoot.spaces.changes.asking import (
    Asked,
    AskWithdrawn,
    Consented,
    ConsentWithdrawn,
    InvitationAnswer,
    InvitationClosed,
    Invited,
)
from folkmoot.spaces.changes.people import RoleChanged
from folkmoot.spaces.changes.seats import VacatedBecause
from folkmoot.spaces.machine.turn import (
    Turn,
    require,
    require_can_be_heard,
    require_may_speak,
    require_way_up,
)
from folkmoot.spaces.model import (
    ASKING_MAX,
    CO_HOSTS_MAX,
    GUESTS_MAX,
    INVITATIONS_OPEN_MAX,
    Member,
    Role,
    Space,
    SpaceState,
)
from folkmoot.spaces.refusals import Code, RefusalError


def ask(turn: Turn, actor: Member, command: commands.Ask) -> None:
    require(actor.role is Role.LISTENER, Code.ALREADY_ON_STAGE)
    require(not actor.asking, Code.ALREADY_ASKING)
    require(actor.invited_as in (None, Role.LISTENER), Code.ALREADY_INVITED)
    require_may_speak(turn, actor)
    require(not turn.space.locked, Code.ROOM_LOCKED)
    require(len(turn.space.queue) < ASKING_MAX, Code.QUEUE_FULL)
    turn.say(Asked(account_id=actor.account_id, at_ms=turn.now_ms))
    if turn.space.recorded and command.recording_consent:
        turn.say(Consented(account_id=actor.account_id, at_ms=turn.now_ms))


def unask(turn: Turn, actor: Member, _: commands.Unask) -> None:
    require(actor.asking, Code.NOT_ASKING)
    turn.say(AskWithdrawn(account_id=actor.account_id))


def let_up(turn: Turn, actor: Member, command: commands.LetUp) -> None:
    """A seat, or an invitation if the asker has yet to agree to the recording."""
    target = turn.space.member(command.account_id)
    require(target.asking, Code.NOT_ASKING)
    require_may_speak(turn, target)
    require_way_up(turn)
    if turn.space.recorded and target.consented_at_ms is None:
        _require_room_to_invite(turn.space, target)
        turn.say(Invited(account_id=target.account_id, role=Role.SPEAKER, by=actor.account_id))
        return
    if target.invited_as is not None:
        turn.say(InvitationClosed(account_id=target.account_id, answer=InvitationAnswer.ACCEPTED))
    turn.take_seat(target.account_id, Role.SPEAKER)


def invite(turn: Turn, actor: Member, command: commands.Invite) -> None:
    target = turn.space.member(command.account_id)
    role = command.invited_role
    require_can_be_heard(turn, target)
    require(target.role is Role.LISTENER, Code.ALREADY_ON_STAGE)
    require(target.invited_as is not role, Code.ALREADY_INVITED)
    if role is Role.CO_HOST:
        require(actor.role is Role.HOST, Code.NOT_HOST)
        require(len(turn.space.co_hosts) < CO_HOSTS_MAX, Code.CO_HOSTS_FULL)
    _require_room_to_invite(turn.space, target)
    turn.say(Invited(account_id=target.account_id, role=role, by=actor.account_id))


def _require_room_to_invite(space: Space, target: Member) -> None:
    if target.invited_as is None:
        require(space.invitations_open < INVITATIONS_OPEN_MAX, Code.INVITATIONS_FULL)
    if not target.guest:
        require(sum(member.guest for member in space.members.values()) < GUESTS_MAX, Code.GUESTS_FULL)


def uninvite(turn: Turn, _actor: Member, command: commands.Uninvite) -> None:
    target = turn.space.member(command.account_id)
    require(target.guest, Code.NOT_INVITED)
    require(target.role is Role.LISTENER, Code.ALREADY_ON_STAGE)
    _close_guest(turn, target, InvitationAnswer.WITHDRAWN)


def decline(turn: Turn, actor: Member, _: commands.Decline) -> None:
    require(actor.invited_as is not None, Code.NOT_INVITED)
    _close_guest(turn, actor, InvitationAnswer.DECLINED)


def _close_guest(turn: Turn, member: Member, answer: InvitationAnswer) -> None:
    """Whoever is no guest any more may have lost what let them ask."""
    if member.asking:
        turn.say(AskWithdrawn(account_id=member.account_id))
    turn.say(InvitationClosed(account_id=member.account_id, answer=answer))


def accept(turn: Turn, actor: Member, command: commands.Accept) -> None:
    require_can_be_heard(turn, actor)
    if actor.role.commands:
        _return_to_stage(turn, actor, command)
    elif actor.invited_as is Role.LISTENER:
        turn.say(InvitationClosed(account_id=actor.account_id, answer=InvitationAnswer.ACCEPTED))
    else:
        _accept_stage(turn, actor, command)


def _return_to_stage(turn: Turn, actor: Member, command: commands.Accept) -> None:
    """Host and co-hosts have their places reserved, and a locked room locks out others."""
    require(not actor.on_stage, Code.ALREADY_ON_STAGE)
    require(turn.space.state is SpaceState.LIVE, Code.NOT_LIVE)
    _require_consent(turn, actor, command)
    turn.take_seat(actor.account_id, actor.role)


def _accept_stage(turn: Turn, actor: Member, command: commands.Accept) -> None:
    role = actor.invited_as
    if role is None:
        raise RefusalError(Code.NOT_INVITED)
    if role is Role.CO_HOST:
        require(len(turn.space.co_hosts) < CO_HOSTS_MAX, Code.CO_HOSTS_FULL)
    before_start = role is Role.CO_HOST and turn.space.state is SpaceState.SCHEDULED
    if not before_start:
        require_way_up(turn)
        _require_consent(turn, actor, command)
    turn.say(InvitationClosed(account_id=actor.account_id, answer=InvitationAnswer.ACCEPTED))
    if before_start:
        turn.say(RoleChanged(account_id=actor.account_id, role=role))
    else:
        turn.take_seat(actor.account_id, role)


def _require_consent(turn: Turn, actor: Member, command: commands.Accept) -> None:
    if not turn.space.recorded:
        return
    require(command.recording_consent or actor.consented_at_ms is not None, Code.CONSENT_NEEDED)
    if actor.consented_at_ms is None:
        turn.say(Consented(account_id=actor.account_id, at_ms=turn.now_ms))


def step_down(turn: Turn, actor: Member, _: commands.StepDown) -> None:
    turn.vacate(actor, VacatedBecause.STEPPED_DOWN)


def consent(turn: Turn, actor: Member, command: commands.Consent) -> None:
    """Agreeing counts for one stint; taking it back on stage leads off it. The same said again changes nothing."""
    require(turn.space.recorded, Code.NOT_RECORDED)
    near_stage = actor.role is not Role.LISTENER or actor.asking or actor.invited_as is not None
    require(near_stage, Code.CONSENT_POINTLESS)
    agreed = actor.consented_at_ms is not None
    if command.recording_consent == agreed:
        return
    if command.recording_consent:
        turn.say(Consented(account_id=actor.account_id, at_ms=turn.now_ms))
    elif actor.on_stage:
        turn.vacate(actor, VacatedBecause.CONSENT_WITHDRAWN)
    else:
        turn.say(ConsentWithdrawn(account_id=actor.account_id))
