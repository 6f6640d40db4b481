"""Spaces as JSON. Takes what the gate admitted, and nothing else."""

from collections.abc import Mapping, Sequence

from folkmoot.accounts.model import Account
from folkmoot.gate import Kind, Standing, Viewer, Visible
from folkmoot.gate.model import Sanction
from folkmoot.gate.subjects import sentence as sentence_about
from folkmoot.recordings.model import Recording, Redaction
from folkmoot.recordings.rules import may_redact
from folkmoot.spaces import rules
from folkmoot.spaces.model import Facts, Member, NoticeKind, Space, SpaceState
from folkmoot.surfaces.mastodon import present as mastodon
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Site
from folkmoot.surfaces.spaces import schema

People = Mapping[int, Visible[Account]]
_HOST_LEFT = {
    NoticeKind.HOST_SUSPENDED: "The host was suspended by this server's moderators, and the Space goes on.",
    NoticeKind.HOST_GONE: "The host can't take part any more, and the Space goes on.",
}
API = "/api/folkmoot/v1/spaces"


def space(
    visible: Visible[Space],
    people: People,
    recording: Visible[Recording] | None,
    facts: Facts,
    taken_out: Sequence[Redaction],
    decided: Sanction,
    *,
    has_spoken: bool,
    call_key: str | None,
    listeners: int,
    listeners_estimated: int,
    reactions: Mapping[str, int],
    tape_full: bool,
    site: Site,
    now_ms: int,
) -> schema.Space:
    """A Space for one viewer. `facts` are the machine's about this viewer; `people` who of it may be seen;
    `decided` is what moderators put the Space under."""
    item = visible.item
    hosts = [item.host_id, *(member.account_id for member in item.co_hosts)]
    you = item.member(visible.viewer.id) if visible.viewer.account_id is not None else None
    is_host = you is not None and you.role.commands
    asking = [member for member in item.queue if is_host or member is you]
    base = f"{site.base_url}{API}/{item.id}"
    return schema.Space(
        id=str(item.id),
        url=f"{site.base_url}/spaces/{item.id}",
        title=item.title,
        topics=list(item.topics),
        language=item.language,
        state=item.state,
        audience=item.audience,
        speak_policy=item.speak_policy,
        recorded=item.recorded,
        recording_state=_recording_state(item, tape_full=tape_full),
        locked=item.locked,
        creator_id=str(item.creator_id),
        host=mastodon.account(people[item.host_id], site),
        host_ids=[str(account_id) for account_id in hosts if account_id in people],
        speaker_ids=[str(member.account_id) for member in item.stage if member.account_id in people],
        invited_ids=[str(m.account_id) for m in item.members.values() if m.invited_as] if is_host else [],
        participant_count=len(item.stage) + listeners,
        listener_count=listeners,
        listener_count_estimated=listeners_estimated,
        stage=[_person(member, people, site) for member in item.stage],
        asking=[_person(member, people, site) for member in asking],
        roster=item.roster_version,
        reactions=dict(reactions),
        created_at=timestamp(item.created_at_ms),
        scheduled_at=_time(item.scheduled_at_ms),
        started_at=_time(item.started_at_ms),
        ended_at=_time(item.ended_at_ms),
        ended_reason=item.ended_reason,
        hold_until=_time(item.hold_until_ms),
        announcement_id=_id(item.announcement_post_id),
        pinned_post_id=_id(item.pinned_post_id),
        listen_url=f"{base}/listen",
        hls_url=f"{base}/hls/index.m3u8",
        replay=_replay(recording, base) if recording is not None else None,
        notices=_notices(item, people, decided),
        redactions=[_redaction(one) for one in taken_out if one.applied_at_ms is not None],
        you=_you(item, visible.viewer, facts, now_ms, has_spoken=has_spoken, call_key=call_key),
    )


def seats(numbers: Mapping[int, int], people: People, sanctioned: frozenset[int], site: Site) -> list[schema.Seat]:
    """Who each seat number stands for. Someone under sanction is shown as that: what was said stays."""
    return [
        schema.Seat(
            seat=number,
            account=mastodon.account(people[account_id], site) if account_id in people else None,
            sanctioned=account_id in sanctioned,
        )
        for number, account_id in sorted(numbers.items())
    ]


def _person(member: Member, people: People, site: Site) -> schema.Person:
    visible = people.get(member.account_id)
    return schema.Person(
        account=mastodon.account(visible, site) if visible is not None else None,
        role=member.role,
        seat=member.seat,
        muted=member.muted_by is not None,
        connected=member.connected,
        asking_since=_time(member.asking_since_ms),
        muted_until=_time(member.muted_until_ms),
    )


def _notices(space: Space, people: People, decided: Sanction) -> list[schema.Notice]:
    """Who hosts since when somebody else can't any more, and that moderators muted it. Never who reported what."""
    notices = []
    if space.notice is not None:
        host = people.get(space.notice.host_id)
        name = (host.item.display_name or f"@{host.item.username}") if host is not None else "Somebody else"
        sentence = f"{_HOST_LEFT[space.notice.kind]} {name} hosts it now."
        kind = schema.NoticeKind(space.notice.kind.value)
        notices.append(schema.Notice(kind, sentence, timestamp(space.notice.at_ms)))
    if decided.standing is Standing.MUTED and not space.state.terminal:
        told = sentence_about(Kind.SPACE, decided)
        at, until = timestamp(decided.decided_at_ms), _time(decided.until_ms)
        notices.append(schema.Notice(schema.NoticeKind.MUTED, told, at, until))
    return notices


def _recording_state(space: Space, *, tape_full: bool) -> schema.RecordingState:
    if space.state is not SpaceState.LIVE:
        return schema.RecordingState.OFF
    if tape_full:
        return schema.RecordingState.DISK_FULL
    return schema.RecordingState.RECORDING if space.recorded else schema.RecordingState.OFF


def _you(
    space: Space, viewer: Viewer, facts: Facts, now_ms: int, *, has_spoken: bool, call_key: str | None
) -> schema.You:
    if viewer.account_id is None:
        role = Member(account_id=0).role
        return schema.You(role, None, False, False, None, False, False, [], False, None, None, False, None)
    member = space.member(viewer.account_id)
    can = rules.permissions(space, viewer.account_id, facts, now_ms)
    return schema.You(
        role=member.role,
        seat=member.seat,
        muted=member.muted_by is not None,
        asking=member.asking,
        invited_as=member.invited_as,
        removed=member.removed,
        consented=member.consented_at_ms is not None,
        can=sorted(can),
        may_redact=may_redact(space, viewer),
        muted_until=_time(member.muted_until_ms),
        removed_until=_time(member.removed_until_ms),
        has_spoken=has_spoken,
        call_key=call_key,
    )


def _redaction(redaction: Redaction) -> schema.Redaction:
    return schema.Redaction(
        id=str(redaction.id),
        from_ms=redaction.from_ms,
        to_ms=redaction.to_ms,
        kind=redaction.reason,
        sentence=redaction.reason.sentence,
        by_role=redaction.by_role,
        at=timestamp(redaction.decided_at_ms),
    )


def _replay(recording: Visible[Recording], base: str) -> schema.Replay:
    return schema.Replay(
        duration_ms=recording.item.duration_ms,
        start_ms=recording.item.replay_start_ms,
        end_ms=recording.item.replay_end_ms,
        download_url=f"{base}/download",
        waveform_url=f"{base}/waveform",
        hls_url=f"{base}/hls/index.m3u8",
    )


def _time(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else timestamp(unix_ms)


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
