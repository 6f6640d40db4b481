"""The job that makes of an upload what players play. It goes on after a crash: each step can be done again, for
keys are made of the file's id, and the row says what is there last."""

from collections.abc import Callable

import msgspec
import structlog

from folkmoot.gate import Action, Gate
from folkmoot.media.depot import Depot
from folkmoot.media.model import Unusable
from folkmoot.posts.files import actions, queries
from folkmoot.posts.files.model import folder_of
from folkmoot.storage.jobs import Job, RetryPolicy

log = structlog.get_logger(__name__)
RETRY = RetryPolicy(attempts_max=10)
"""For three quarters of an hour: a store that is away comes back. What a file does, it does to a child process."""
PROGRESS_EVERY_MS = 1_000
_BY = "worker: media"


class Processing(msgspec.Struct, frozen=True):
    """One in the worker."""

    gate: Gate
    depot: Depot
    clock_ms: Callable[[], int]

    async def run(self, job: Job) -> None:
        """The handler of `actions.PROCESS` jobs."""
        media_id = int(job.payload["media"])
        async with self.gate.database.read() as read:
            file = await queries.by_id(read, media_id)
        if file is None or file.details.percent is None:
            return
        permit = self.gate.permit_system(Action.UPLOAD, _BY)
        try:
            made = await self.depot.later(file.object_key, folder_of(media_id), self._watch(media_id))
        except Unusable as error:
            why = str(error)
            await self.gate.act(permit, lambda acting: actions.fail(acting, media_id, why))
            return
        except FileNotFoundError:
            await self.gate.act(permit, lambda acting: actions.fail(acting, media_id, "The upload was lost"))
            return
        except OSError:
            if job.attempt < RETRY.attempts_max:
                raise
            why = "The store of files was away for too long. Send it again"
            await self.gate.act(permit, lambda acting: actions.fail(acting, media_id, why))
            return
        if not await self.gate.act(permit, lambda acting: actions.complete(acting, media_id, made)):
            log.info("media.deleted_meanwhile", media=media_id)

    def _watch(self, media_id: int) -> "_Watch":
        return _Watch(self, media_id)


class _Watch:
    """Writes down how far a file is, at most once a second."""

    def __init__(self, processing: Processing, media_id: int) -> None:
        self._processing = processing
        self._media_id = media_id
        self._due_ms = 0

    async def __call__(self, percent: int) -> None:
        now_ms = self._processing.clock_ms()
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + PROGRESS_EVERY_MS
        gate = self._processing.gate
        permit = gate.permit_system(Action.UPLOAD, _BY)
        await gate.act(permit, lambda acting: actions.note_progress(acting, self._media_id, percent))
