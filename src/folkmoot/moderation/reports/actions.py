"""Reporting, and what moderators do with reports. Each runs inside `Gate.act`."""

from typing import Any

from sqlalchemy import ColumnElement, func, select, true, update

from folkmoot.accounts.model import Account
from folkmoot.clips import queries as clips
from folkmoot.gate import Acting, Action, Refused, Visible
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.reports import kept, queries
from folkmoot.moderation.reports.model import (
    COMMENT_CHARACTERS_MAX,
    PER_HOUR_MAX,
    About,
    Category,
    Evidence,
    Report,
    ReportedPost,
    Resolution,
)
from folkmoot.posts import edits
from folkmoot.posts import queries as posts
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit
from folkmoot.storage.tables.moderation import reports

REPORT_MADE = "report.made"
REPORT_CHANGED = "report.changed"
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


async def report(
    acting: Acting, target: Visible[Account], about: About, category: Category, comment: str
) -> Report:
    """Bring an account, and what of it is meant, before the moderators. `about` holds what the gate admitted.

    Raises Refused: 422 oneself, a comment that is too long, the same again while it is open; 429 for too many.
    """
    acting.require(Action.REPORT)
    if target.item.id == acting.actor_id:
        raise Refused("own_account", "One cannot report oneself.", status=422)
    if len(comment) > COMMENT_CHARACTERS_MAX:
        sentence = f"A comment has at most {COMMENT_CHARACTERS_MAX} characters."
        raise Refused("comment_too_long", sentence, status=422)
    made = Report(
        id=acting.tx.new_id(),
        reporter_id=acting.actor_id,
        target_id=target.item.id,
        about=about,
        category=category,
        comment=clean_text(comment, "comment") if comment.strip() else "",
        assigned_to=None,
        resolution=None,
        resolved_by=None,
        resolved_at_ms=None,
        created_at_ms=acting.now_ms,
        changed_at_ms=acting.now_ms,
        evidence=await _evidence(acting.tx, about),
    )
    await _require_room(acting, made)
    await acting.tx.connection.execute(reports.insert().values(**queries.columns(made)))
    await kept.keep(acting, made.id, about, made.evidence.files)
    await emit(acting.tx, REPORT_MADE, {"report": str(made.id)})
    return made


async def _evidence(read: Read, about: About) -> Evidence:
    """What it says in this moment."""
    space = await spaces.by_id(read, about.space_id) if about.space_id is not None else None
    clip = await clips.by_id(read, about.clip_id) if about.clip_id is not None else None
    return Evidence(
        posts=tuple(
            [
                ReportedPost(
                    id=post.id,
                    visibility=post.visibility,
                    created_at_ms=post.created_at_ms,
                    version=await edits.current(read, post),
                )
                for post in await posts.by_ids(read, about.post_ids)
            ]
        ),
        files=tuple(await kept.files_of(read, about)),
        space_title=space.title if space is not None else None,
        clip_ms=(clip.start_ms, clip.end_ms) if clip is not None else None,
    )


async def forget_closed(acting: Acting, kept_days: int) -> int:
    """Delete reports that were closed so long ago, with what they hold of people's words; return how many."""
    return await kept.forget(acting, reports.c.resolved_at_ms <= acting.now_ms - kept_days * _DAY_MS)


async def assign(acting: Acting, report_id: int, *, to_oneself: bool) -> None:
    """Say that one looks at a report, or no longer does. Raises Refused: 404; 422 once it is closed."""
    found = await _present(acting, report_id)
    if found.resolved_at_ms is not None:
        raise Refused("report_resolved", "This report is resolved: reopen it first.", status=422)
    await _change(acting, report_id, assigned_to=acting.actor_id if to_oneself else None)


async def categorize(acting: Acting, report_id: int, category: Category) -> None:
    """Say what a report is about in truth, whatever its reporter chose. Raises Refused 404."""
    if (await _present(acting, report_id)).category is not category:
        await _change(acting, report_id, category=category.value)


async def resolve(acting: Acting, report_id: int, resolution: Resolution) -> None:
    """Close a report with what came of it. One that is closed stays as it was closed. Raises Refused 404."""
    if (await _present(acting, report_id)).resolved_at_ms is not None:
        return
    await _change(
        acting,
        report_id,
        resolution=resolution.value,
        resolved_by=acting.viewer.account_id,
        resolved_at_ms=acting.now_ms,
    )


async def resolve_about(acting: Acting, target_id: int, resolution: Resolution) -> None:
    """Close every open report about an account: a sanction answers them all."""
    await _resolve_where(acting, reports.c.target_id == target_id, resolution)


async def resolve_about_space(acting: Acting, space_id: int, resolution: Resolution) -> None:
    """Close every open report about a Space."""
    await _resolve_where(acting, reports.c.space_id == space_id, resolution)


async def resolve_about_clip(acting: Acting, clip_id: int, resolution: Resolution) -> None:
    """Close every open report about a clip."""
    await _resolve_where(acting, reports.c.clip_id == clip_id, resolution)


async def _resolve_where(acting: Acting, about: ColumnElement[bool], resolution: Resolution) -> None:
    """All of them but those about who decides: nobody judges these themselves."""
    acting.require(Action.MODERATE)
    others = true() if acting.viewer.account_id is None else reports.c.target_id != acting.viewer.account_id
    found = await acting.tx.connection.execute(
        select(reports.c.id).where(about, others, reports.c.resolved_at_ms.is_(None))
    )
    for row in found.all():
        await resolve(acting, row.id, resolution)


async def reopen(acting: Acting, report_id: int) -> None:
    """Put a closed report back into the queue, as it was there: whoever looked at it does again. What was decided
    about the account stays. Raises Refused 404."""
    await _present(acting, report_id)
    await _change(acting, report_id, resolution=None, resolved_by=None, resolved_at_ms=None)


async def _require_room(acting: Acting, made: Report) -> None:
    mine = reports.c.reporter_id == acting.actor_id
    lately = select(func.count()).where(mine, reports.c.created_at_ms > acting.now_ms - _HOUR_MS)
    if (await acting.tx.connection.execute(lately)).scalar_one() >= PER_HOUR_MAX:
        raise Refused("too_many_reports", "That were many reports. Go on in an hour.", status=429)
    same = await queries.open_between(acting.tx, acting.actor_id, made.target_id)
    if any(one.about == made.about for one in same):
        sentence = "You reported this already, and the moderators have not decided yet."
        raise Refused("already_reported", sentence, status=422)


async def _present(acting: Acting, report_id: int) -> Report:
    """Nobody judges a report about themselves: for them there is none."""
    acting.require(Action.MODERATE)
    found = await queries.by_ids(acting.tx, [report_id], judge_id=acting.viewer.account_id)
    if not found:
        raise Refused("not_found", "There is no such report.", status=404)
    return found[0]


async def _change(acting: Acting, report_id: int, **values: Any) -> None:
    await acting.tx.connection.execute(
        update(reports).where(reports.c.id == report_id).values(changed_at_ms=acting.now_ms, **values)
    )
    await emit(acting.tx, REPORT_CHANGED, {"report": str(report_id)})
