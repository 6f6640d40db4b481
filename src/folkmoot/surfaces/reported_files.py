"""The files of reported posts, for moderators, as long as the report is kept: also where the post is gone."""

from typing import Any

from litestar import Request, get

from folkmoot.gate import Action, Permit, Refused, Serves
from folkmoot.media.depot import Stored
from folkmoot.moderation.reports import queries
from folkmoot.moderation.reports.model import ReportedFile
from folkmoot.posts.files import queries as files
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.media_files import Bytes, send
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH

FILE = f"{PATH}/moderation/reports/{{report_id:str}}/files/{{media_id:str}}"


@get(FILE, opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:read:reports"))
async def fetch_reported_file(
    request: Request[Any, Any, Any], report_id: str, media_id: str, permit: Permit, services: Services
) -> Bytes:
    """The bytes of a file that a report is about, or a range of them. Not for whom the report is about."""
    id_ = entity_id(media_id, "Media")
    async with services.database.read() as read:
        found = await queries.by_ids(read, [entity_id(report_id)], judge_id=permit.viewer.id)
        admitted = services.gate.admit_to_moderate(permit, found)
        kept = [file for one in admitted for file in one.item.evidence.files if file.id == id_]
        if not kept:
            raise Refused("not_found", "Media not found.", status=404)
        stored = await _as_it_is(read, kept[0])
    answer = await send(request, services.objects, stored, f"{id_}-{stored.size_bytes}", NO_STORE["Cache-Control"])
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"  # no page elsewhere shows it to a moderator
    return answer


async def _as_it_is(read: Read, file: ReportedFile) -> Stored:
    """Of a clip something may have been taken out since."""
    now = await files.by_id(read, file.id)
    size_bytes = file.size_bytes if now is None else now.size_bytes
    return Stored(file.object_key, file.content_type, size_bytes)


HANDLERS: list[Any] = [fetch_reported_file]
