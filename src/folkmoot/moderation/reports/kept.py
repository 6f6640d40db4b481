"""What is kept of posts because a report is about them, whatever their author does, and how it is forgotten again.

What a post said stays in its history (posts/edits.py), and the bytes of its files in the object store
(storage/discarding.py), as long as a row here says so. It is for who decides about the report and nobody else.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, delete, exists, insert, select, update

from folkmoot.gate import Acting
from folkmoot.moderation.reports import queries
from folkmoot.moderation.reports.model import About, ReportedFile
from folkmoot.posts import edits
from folkmoot.posts.files import queries as files
from folkmoot.posts.files.model import Media
from folkmoot.storage.database import Read
from folkmoot.storage.discarding import discard
from folkmoot.storage.tables.moderation import reported_files, reported_posts, reports
from folkmoot.storage.tables.posts import media

AT_ONCE_MAX = 200
FILES_MAX = 100


async def files_of(read: Read, about: About) -> list[ReportedFile]:
    """The files of what is reported, and then those that edits took out of a post, the last first; 100 at most."""
    clips = await files.of_clips(read, [about.clip_id]) if about.clip_id is not None else []
    shown = await files.of_posts(read, about.post_ids)
    ever = await files.of_posts(read, about.post_ids, with_taken_out=True)
    found = [*clips, *_all_of(shown), *sorted(_all_of(ever), key=lambda file: -file.id)]
    return [_reported(file) for file in {file.id: file for file in found}.values()][:FILES_MAX]


async def keep(acting: Acting, report_id: int, about: About, shown: Sequence[ReportedFile]) -> None:
    """Keep what the posts of a report say and show, as long as there is the report."""
    if about.post_ids:
        rows = [{"report_id": report_id, "post_id": post_id} for post_id in dict.fromkeys(about.post_ids)]
        await acting.tx.connection.execute(insert(reported_posts), rows)
    await _keep_files(acting, report_id, shown)


async def keep_edited(acting: Acting, post_id: int) -> None:
    """Keep what an edit gave a post to show, too, in every report about it; 100 files in each at most."""
    about = select(reported_posts.c.report_id).where(reported_posts.c.post_id == post_id)
    report_ids = list((await acting.tx.connection.execute(about)).scalars())
    if not report_ids:
        return
    shown = [_reported(file) for file in _all_of(await files.of_posts(acting.tx, [post_id]))]
    for report in await queries.by_ids(acting.tx, report_ids, judge_id=None):
        known = report.evidence.files
        ids = {file.id for file in known}
        new = [file for file in shown if file.id not in ids][: max(0, FILES_MAX - len(known))]
        if new:
            evidence = msgspec.structs.replace(report.evidence, files=(*known, *new))
            await acting.tx.connection.execute(
                update(reports).where(reports.c.id == report.id).values(evidence=msgspec.to_builtins(evidence))
            )
            await _keep_files(acting, report.id, new)


async def _keep_files(acting: Acting, report_id: int, shown: Sequence[ReportedFile]) -> None:
    # What is taken out of a Space's sound has to leave its clips, so these go when their owner deletes them.
    keys = {file.id: None if file.is_clip else file.object_key for file in shown}
    kept = [{"report_id": report_id, "media_id": id_, "object_key": key} for id_, key in keys.items()]
    if kept:
        await acting.tx.connection.execute(insert(reported_files), kept)


async def forget(acting: Acting, which: ColumnElement[bool]) -> int:
    """Delete reports with all that was kept because of them, 200 at most; return how many."""
    execute = acting.tx.connection.execute
    ids = list((await execute(select(reports.c.id).where(which).limit(AT_ONCE_MAX))).scalars())
    said = select(reported_posts.c.post_id).where(reported_posts.c.report_id.in_(ids)).distinct()
    post_ids = list((await execute(said)).scalars())
    belongs = exists().where(media.c.id == reported_files.c.media_id)
    unowned = select(reported_files.c.object_key).where(
        reported_files.c.report_id.in_(ids), reported_files.c.object_key.is_not(None), ~belongs
    )
    keys = set((await execute(unowned)).scalars())
    await execute(delete(reports).where(reports.c.id.in_(ids)))
    await edits.forget_deleted(acting, post_ids)
    await discard(acting.tx, sorted(keys))
    return len(ids)


def _all_of(attached: Mapping[int, Sequence[Media]]) -> list[Media]:
    return [file for of_one in attached.values() for file in of_one]


def _reported(file: Media) -> ReportedFile:
    return ReportedFile(
        id=file.id,
        kind=file.kind,
        content_type=file.content_type,
        object_key=file.object_key,
        size_bytes=file.size_bytes,
        is_clip=file.clip_id is not None,
    )
