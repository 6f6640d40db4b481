"""Spaces as JSON. Takes what the gate admitted, and nothing else."""

from collections.abc import Mapping, Sequence

from folkmoot.accounts.model import Account
from folkmoot.gate import Viewer, Visible
from folkmoot.recordings.model import Recording, Redaction
from folkmoot.recordings.rules import may_redact
from folkmoot.spaces import rules
from folkmoot.spaces.model import Facts, Member, Space, SpaceState
from folkmoot.surfaces.mastodon import present as mastodon
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Site
from folkmoot.surfaces.spaces import schema

People = Mapping[int, Visible[Account]]
API = "/api/folkmoot/v1/spaces"


def space(
    visible: Visible[Space],
    people: People,
    recording: Visible[Recording] | None,
    facts: Facts,
    taken_out: Sequence[Redaction],
    *,
    has_spoken: bool,
    listeners: int,
    listeners_estimated: int,
    reactions: Mapping[str, int],
    tape_full: bool,
    site: Site,
    now_ms: int,
) -> schema.Space:
    """A Space for one viewer. `facts` are the machine's about this viewer; `people` who of it may be seen."""
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
        redactions=[_redaction(one) for one in taken_out if one.applied_at_ms is not None],
        you=_you(item, visible.viewer, facts, now_ms, has_spoken=has_spoken),
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
    )


def _recording_state(space: Space, *, tape_full: bool) -> schema.RecordingState:
    if space.state is not SpaceState.LIVE:
        return schema.RecordingState.OFF
    if tape_full:
        return schema.RecordingState.DISK_FULL
    return schema.RecordingState.RECORDING if space.recorded else schema.RecordingState.OFF


def _you(space: Space, viewer: Viewer, facts: Facts, now_ms: int, *, has_spoken: bool) -> schema.You:
    if viewer.account_id is None:
        return schema.You(Member(account_id=0).role, None, False, False, None, False, False, [], False, False)
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
        has_spoken=has_spoken,
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
