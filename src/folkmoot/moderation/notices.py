"""What people are written about decisions: the reason, the end, and where to appeal. Never who decided.

The event of a change has a job written; the reason is read when its letter is sent, and stands in no job.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from folkmoot.accounts.letters import Addressee, addressee
from folkmoot.gate import Acting, Action, Gate, Kind, Standing, Subject, subjects
from folkmoot.gate.actions import STANDING_CHANGED, SUBJECT_CHANGED
from folkmoot.gate.model import Sanction
from folkmoot.gate.queries import sanction_of
from folkmoot.mail.model import Letter
from folkmoot.mail.outbox import Outbox
from folkmoot.mail.smtp import Mailer
from folkmoot.moderation.appeals.model import APPEALABLE
from folkmoot.moderation.queries import owner_of
from folkmoot.storage.events import Event, keep_position
from folkmoot.storage.jobs import Handler, Job

STANDING = "mail.standing"
THING = "mail.thing"
_ABOUT_ACCOUNTS = frozenset({Standing.SUSPENDED, Standing.LIMITED, Standing.LOCKED})
_CALLED = {Kind.SPACE: "Space", Kind.CLIP: "clip"}
_WHAT = {
    Standing.SUSPENDED: "It can't be used, and nobody sees what it published. Your own data stay open to you.",
    Standing.LIMITED: "Only those who follow it see what it publishes, and it is in no public list.",
    Standing.LOCKED: "Somebody else may know its password. Ask the moderators for a link to set a new one.",
}


async def have_written(gate: Gate, outbox: Outbox, follower: str, event: Event) -> None:
    """Have a letter written about an event, where it is one that somebody is to hear of. That, and that the
    follower has handled the event, is one transaction: a process that is killed after it writes no second one."""
    if event.kind == STANDING_CHANGED and _is_decision(event.payload):
        kind, payload = STANDING, event.payload
    elif event.kind == SUBJECT_CHANGED and Kind(event.payload["kind"]) in _CALLED:
        kind, payload = THING, event.payload
    else:
        return

    async def put(acting: Acting) -> None:
        await outbox.put(acting.tx, kind, **payload)
        await keep_position(acting.tx, follower, event)

    if outbox.is_open:
        await gate.act(gate.permit_system(Action.MODERATE, "worker: notices"), put)


class Notices:
    """The jobs."""

    def __init__(self, gate: Gate, base_url: str, mailer: Mailer) -> None:
        self._gate = gate
        self._base_url = base_url
        self._mailer = mailer

    def handlers(self) -> Mapping[str, Handler]:
        return {STANDING: self._standing, THING: self._thing}

    async def _standing(self, job: Job) -> None:
        account_id = int(job.payload["account"])
        async with self._gate.database.read() as read:
            to = await addressee(read, account_id)
            now = await sanction_of(read, account_id)
        after = Standing(job.payload["after"])
        if to is None or now is None or not _holds_yet(job, now):
            return  # what came after it has a letter of its own
        if after in _ABOUT_ACCOUNTS:
            await self._send(to, self._imposed(to, f"Your account @{to.username}", now, _WHAT[after]), job)
        elif job.payload["before"] == Standing.AWAITING_APPROVAL:
            await self._send(to, self._approved(to), job)
        else:
            await self._send(to, self._lifted(to, f"Your account @{to.username}", job.payload["before"]), job)

    async def _thing(self, job: Job) -> None:
        subject = Subject(Kind(job.payload["kind"]), int(job.payload["id"]))
        async with self._gate.database.read() as read:
            account_id = await owner_of(read, subject)
            to = None if account_id is None else await addressee(read, account_id)
            now = (await subjects.held(read, [subject]))[subject]
        if to is None or not _holds_yet(job, now):
            return
        what = f"A {_CALLED[subject.kind]} of yours"
        if now.standing is Standing.ACTIVE:
            await self._send(to, self._lifted(to, what, job.payload["before"]), job)
        else:
            await self._send(to, self._imposed(to, what, now, ""), job)

    def _imposed(self, to: Addressee, what: str, now: Sanction, meaning: str) -> Letter:
        until = "" if now.until_ms is None else f" until {_moment(now.until_ms)}"
        paragraphs = [f"{what} was {now.standing.value}{until} by the moderators of {self._base_url}."]
        paragraphs += [meaning] if meaning else []
        paragraphs += [f"The reason: {now.reason}"] if now.reason else []
        link = None
        if now.standing in APPEALABLE:
            paragraphs.append("You can appeal, once. Somebody else than who decided this answers.")
            link = ("Sign in, read why, and appeal", f"{self._base_url}/settings")
        return Letter(to.email, f"{what} was {now.standing.value}", tuple(paragraphs), link)

    def _lifted(self, to: Addressee, what: str, before: str) -> Letter:
        sentence = f"{what} is no longer {before}: everything is as it was before."
        link = ("Sign in anew", f"{self._base_url}/sign-in")
        return Letter(to.email, f"{what} is no longer {before}", (sentence,), link)

    def _approved(self, to: Addressee) -> Letter:
        sentence = f"Your account @{to.username} at {self._base_url} was approved: you can use it now."
        link = ("Sign in", f"{self._base_url}/sign-in")
        return Letter(to.email, "Your account was approved", (sentence,), link)

    async def _send(self, to: Addressee, letter: Letter, job: Job) -> None:
        if to.is_confirmed:
            await self._mailer.send(letter, job, self._gate.database.clock_ms())


def _holds_yet(job: Job, now: Sanction) -> bool:
    """Whether what its letter is about holds now, until the same end. Jobs of a version before name no end."""
    changed: Mapping[str, str] = job.payload
    until = str(now.until_ms)
    return now.standing.value == changed["after"] and changed.get("until", until) == until


def _is_decision(changed: Mapping[str, str]) -> bool:
    """What somebody decided about another, or took back; not what people do with their own account."""
    before, after = Standing(changed["before"]), Standing(changed["after"])
    decided = _ABOUT_ACCOUNTS | {Standing.AWAITING_APPROVAL}
    return after in _ABOUT_ACCOUNTS or (after is Standing.ACTIVE and before in decided)


def _moment(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
