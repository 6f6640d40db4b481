"""What moderators see, as Mastodon's JSON. Takes what the gate admitted, and nothing else."""

from collections.abc import Mapping

import msgspec

from folkmoot.accounts.model import Account
from folkmoot.gate import Standing, Visible
from folkmoot.gate.model import Sanction
from folkmoot.moderation.evasion.model import SURENESS, Hint
from folkmoot.moderation.evasion.rules import sentence
from folkmoot.moderation.members.model import History, Member
from folkmoot.moderation.reports.model import Report, ReportedPost
from folkmoot.posts.model import Version
from folkmoot.spaces.model import Role, Space
from folkmoot.surfaces.mastodon import admin_entities, present
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Site


class Around(msgspec.Struct, frozen=True):
    """What reports refer to, by id, and each person a second time as everybody sees them."""

    members: Mapping[int, Visible[Member]]
    accounts: Mapping[int, Visible[Account]]
    spaces: Mapping[int, Visible[Space]]
    statuses: Mapping[int, Status]
    versions: Mapping[int, int]  # since when each post says what it says (Unix ms)
    said: Mapping[int, list[Version]]  # what each said before


def report(visible: Visible[Report], target: Visible[Account], site: Site) -> admin_entities.Report:
    """For its reporter."""
    item = visible.item
    return admin_entities.Report(
        id=str(item.id),
        action_taken=item.resolved_at_ms is not None,
        action_taken_at=_time(item.resolved_at_ms),
        category=item.category.value,
        comment=item.comment,
        created_at=present.timestamp(item.created_at_ms),
        status_ids=[str(id_) for id_ in item.about.post_ids],
        target_account=present.account(target, site),
    )


def admin_report(visible: Visible[Report], around: Around, site: Site) -> admin_entities.AdminReport:
    """For moderators. The account that it is about has to be in `around`."""
    item, about = visible.item, visible.item.about
    space = around.spaces.get(about.space_id) if about.space_id is not None else None

    def person(account_id: int | None) -> admin_entities.AdminAccount | None:
        found = around.members.get(account_id) if account_id is not None else None
        return admin_account(found, around.accounts[found.item.account.id], site) if found is not None else None

    return admin_entities.AdminReport(
        id=str(item.id),
        action_taken=item.resolved_at_ms is not None,
        action_taken_at=_time(item.resolved_at_ms),
        category=item.category.value,
        comment=item.comment,
        created_at=present.timestamp(item.created_at_ms),
        updated_at=present.timestamp(item.changed_at_ms),
        account=person(item.reporter_id),
        target_account=admin_account(around.members[item.target_id], around.accounts[item.target_id], site),
        assigned_account=person(item.assigned_to),
        action_taken_by_account=person(item.resolved_by),
        statuses=[around.statuses[id_] for id_ in about.post_ids if id_ in around.statuses],
        folkmoot=admin_entities.ReportExtension(
            posts=[_reported(item, one, around, site) for one in item.evidence.posts],
            space_title=item.evidence.space_title,
            space=moderated_space(space, site) if space is not None else None,
            at_ms=about.at_ms,
            clip=item.evidence.clip_ms,
            resolution=item.resolution.value if item.resolution is not None else None,
        ),
    )


def reported_file_url(report_id: int, media_id: int, site: Site) -> str:
    """Where moderators fetch a file of a reported post, whatever became of the post."""
    return f"{site.base_url}/api/folkmoot/v1/moderation/reports/{report_id}/files/{media_id}"


def _reported(report: Report, post: ReportedPost, around: Around, site: Site) -> admin_entities.ReportedPost:
    says_since_ms, reported_ms = around.versions.get(post.id), post.version.written_at_ms
    now = "deleted" if says_since_ms is None else "as_reported" if says_since_ms == reported_ms else "changed"
    kept = {file.id: file for file in report.evidence.files}
    others = [said for said in around.said.get(post.id, []) if said != post.version]

    def version(said: Version) -> admin_entities.ReportedVersion:
        return admin_entities.ReportedVersion(
            since=present.timestamp(said.written_at_ms),
            text=said.source,
            spoiler_text=said.spoiler_text,
            poll=list(said.options),
            media=[
                admin_entities.ReportedMedia(
                    id=str(id_),
                    type=kept[id_].kind if id_ in kept else "unknown",
                    description=description,
                    url=reported_file_url(report.id, id_, site) if id_ in kept else None,
                )
                for id_, description in said.media
            ],
        )

    return admin_entities.ReportedPost(
        **msgspec.structs.asdict(version(post.version)),
        id=str(post.id),
        visibility=post.visibility.value,
        created_at=present.timestamp(post.created_at_ms),
        now=now,
        versions=[version(said) for said in others],
    )


def admin_account(
    visible: Visible[Member],
    account: Visible[Account],
    site: Site,
    details: admin_entities.AccountDetails | None = None,
) -> admin_entities.AdminAccount:
    """For moderators. `account` is the same person."""
    item, now = visible.item, visible.item.sanction
    awaits = Standing.AWAITING_APPROVAL in item.kinds
    return admin_entities.AdminAccount(
        id=str(item.account.id),
        username=item.account.username,
        created_at=present.timestamp(item.account.created_at_ms),
        email=item.email,
        invite_request=now.reason if now.standing is Standing.AWAITING_APPROVAL else None,
        role=present.credential_role(item.account.role),
        approved=not awaits,
        disabled=Standing.LOCKED in item.kinds,
        silenced=Standing.LIMITED in item.kinds,
        suspended=Standing.SUSPENDED in item.kinds,
        account=present.account(account, site),
        folkmoot=admin_entities.AccountExtension(
            standing=now.standing.value, reason=now.reason, until=_time(now.until_ms), details=details
        ),
    )


def signup_hint(hint: Hint, other: Visible[Account]) -> admin_entities.SignUpHint:
    """What a sign-up has in common with another account."""
    return admin_entities.SignUpHint(
        kind=hint.kind.value,
        sureness=SURENESS[hint.kind].value,
        sentence=sentence(hint, other.item.username),
        account_id=str(other.item.id),
        username=other.item.username,
        standing=hint.standing.value,
        since=_time(hint.since_ms),
        seen_at=present.timestamp(hint.seen_at_ms),
    )


def account_details(
    history: History,
    names: Mapping[int, Visible[Account]],
    spaces: list[Visible[Space]],
    live: list[Visible[Space]],
    hints: list[admin_entities.SignUpHint],
    site: Site,
) -> admin_entities.AccountDetails:
    """The history of one account. `names`: of those who decided, and of who is on the stages of `live`."""
    return admin_entities.AccountDetails(
        sanctions=[sanction(one, names) for one in history.sanctions],
        sessions_count=history.sessions,
        programs_count=history.programs,
        open_reports_count=history.open_reports,
        reports_count=history.reports,
        spaces=[moderated_space(one, site) for one in spaces],
        live_spaces=[_live_space(one, names, site) for one in live],
        hints=hints,
    )


def _live_space(
    visible: Visible[Space], names: Mapping[int, Visible[Account]], site: Site
) -> admin_entities.LiveSpace:
    space = visible.item
    others = [*space.co_hosts, *(member for member in space.stage if member.role is Role.SPEAKER)]
    return admin_entities.LiveSpace(
        id=str(space.id),
        title=space.title,
        url=f"{site.base_url}/spaces/{space.id}",
        successors=[
            admin_entities.Successor(
                id=str(one.account_id), username=names[one.account_id].item.username, role=one.role.value
            )
            for one in others
            if one.account_id in names
        ],
    )


def moderated_space(visible: Visible[Space], site: Site) -> admin_entities.ModeratedSpace:
    """A Space, for a link."""
    space = visible.item
    return admin_entities.ModeratedSpace(
        id=str(space.id), title=space.title, state=space.state.value, url=f"{site.base_url}/spaces/{space.id}"
    )


def sanction(decided: Sanction, names: Mapping[int, Visible[Account]]) -> admin_entities.Sanction:
    """One decision. `names`: of those who decided."""

    def name(account_id: int | None) -> str | None:
        found = names.get(account_id) if account_id is not None else None
        return found.item.username if found is not None else None

    return admin_entities.Sanction(
        id=str(decided.id),
        standing=decided.standing.value,
        reason=decided.reason,
        until=_time(decided.until_ms),
        decided_by=name(decided.decided_by),
        decided_at=present.timestamp(decided.decided_at_ms),
        lifted_by=name(decided.lifted_by),
        lifted_at=_time(decided.lifted_at_ms),
    )


def _time(unix_ms: int | None) -> str | None:
    return present.timestamp(unix_ms) if unix_ms is not None else None
