"""What accounts are written by e-mail, and the jobs that write it. A link is made in the moment its letter is sent.

Everything but the confirmation goes to confirmed addresses only: nobody reads in a stranger's mailbox what happened
to somebody else's account.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import msgspec
from sqlalchemy import select

from folkmoot.accounts import links
from folkmoot.accounts.links import Purpose
from folkmoot.gate import Acting, Action, Gate, Standing
from folkmoot.gate.queries import standings_of
from folkmoot.mail.model import Letter
from folkmoot.mail.outbox import QUEUE, Outbox
from folkmoot.mail.smtp import Mailer
from folkmoot.storage.database import Read
from folkmoot.storage.jobs import Handler, Job, enqueue, finish, next_run_ms
from folkmoot.storage.tables.people import accounts, credentials

CONFIRM = "mail.confirm"
RESET = "mail.reset"
HAPPENED = "mail.happened"
RESETS_MAX = 5  # accounts of one mailbox
EMAIL_ASKED = "email_asked"
_IN_TURN_MS = 1_000
_WAITS_MAX_MS = 600_000  # for a mailbox that takes nothing: longer than a server keeps whom it doesn't know waiting
_NOT_YOU = "If that wasn't you, change your password at once: it signs everybody else out."

# What can have happened to an account, by the name that its job carries: (subject, sentence).
EVENTS: dict[str, tuple[str, str]] = {
    "signed_in": (
        "A new sign-in",
        "Somebody signed in to @{username} with a browser that had not been used for it before.",
    ),
    "password_changed": (
        "Your password was changed",
        "The password of @{username} was changed. Passkeys that were made before ask for the new one, too, at "
        "their next use: remove those that aren't yours.",
    ),
    EMAIL_ASKED: (
        "Another e-mail address for your account",
        "Another e-mail address was given for @{username}. It counts once it is confirmed.",
    ),
    "totp_on": ("Codes are needed to sign in", "@{username} signs in with a code of a program from now on."),
    "totp_off": ("No codes any more", "The program for codes was taken away from @{username}."),
    "passkey_added": ("A new passkey", "A passkey was added to @{username}."),
    "passkey_removed": ("A passkey less", "A passkey was removed from @{username}."),
    "recovery_used": ("A recovery code was used", "Somebody signed in to @{username} with a recovery code."),
    "recovery_made": ("New recovery codes", "New recovery codes were made for @{username}; the old ones are void."),
    "factors_off": (
        "Second factor taken away",
        "Every second factor of @{username} was taken away, by a link that this server's moderators gave out.",
    ),
    "link_made": (
        "A link for your account",
        "An owner of this server made a link for @{username}: for a new password, or for a lost second factor.",
    ),
    "deletion_asked": (
        "Your account will be deleted",
        "@{username} will be deleted with all that it published. Until then you can sign in and take that back.",
    ),
}


class Addressee(msgspec.Struct, frozen=True):
    """Somebody who can be written to."""

    username: str
    email: str
    is_confirmed: bool


class Letters:
    """The jobs. `write` raises nothing where there is nobody to write to (any more): the job is done."""

    def __init__(self, gate: Gate, base_url: str, mailer: Mailer) -> None:
        self._gate = gate
        self._base_url = base_url
        self._mailer = mailer

    def handlers(self) -> Mapping[str, Handler]:
        return {CONFIRM: self._confirm, RESET: self._reset, HAPPENED: self._happened}

    async def _confirm(self, job: Job) -> None:
        made = await self._act(partial(_make_confirmation_in_turn, job=job))
        if made is None:
            return
        to, secret = made
        await self._send(
            Letter(
                to.email,
                f"Confirm your e-mail address for @{to.username}",
                (f"Somebody gave this address for the account @{to.username} at {self._base_url}.",),
                ("Confirm it", f"{self._base_url}/confirm-email?secret={secret}"),
                ("The link works for seven days. If that wasn't you, do nothing: the address is not used.",),
            ),
            job,
        )

    async def _reset(self, job: Job) -> None:
        """Of every account with this mailbox: whoever asks learns nothing of which there are."""
        mark = bytes.fromhex(job.payload["mark"])
        for account_id in await self._of_mailbox(mark):
            made = await self._act(partial(_make_reset, account_id=account_id, kept_since_ms=_begun_ms(job)))
            if made is None:
                continue
            to, secret = made
            await self._send(
                Letter(
                    to.email,
                    f"A new password for @{to.username}",
                    (f"Somebody asked for a new password for @{to.username} at {self._base_url}.",),
                    ("Set a new password", f"{self._base_url}/password?secret={secret}"),
                    ("The link works once, for a day. If that wasn't you, do nothing: your password stays.",),
                ),
                job,
            )

    async def _happened(self, job: Job) -> None:
        async with self._gate.database.read() as read:
            to = await addressee(read, int(job.payload["account"]))
        if to is None or not to.is_confirmed:
            return
        subject, sentence = EVENTS[job.payload["what"]]
        link = ("See your sessions and your second factor", f"{self._base_url}/settings/security")
        await self._send(Letter(to.email, subject, (sentence.format(username=to.username), _NOT_YOU), link), job)

    async def _of_mailbox(self, mark: bytes) -> list[int]:
        async with self._gate.database.read() as read:
            rows = await read.connection.execute(
                select(credentials.c.account_id)
                .where(credentials.c.email_mark == mark, credentials.c.email_confirmed_at_ms.is_not(None))
                .order_by(credentials.c.account_id)
                .limit(RESETS_MAX)
            )
            return list(rows.scalars())

    async def _act(
        self, work: Callable[[Acting], Awaitable[tuple[Addressee, str] | None]]
    ) -> tuple[Addressee, str] | None:
        return await self._gate.act(self._gate.permit_system(Action.SIGN_IN, "worker: letters"), work)

    async def _send(self, letter: Letter, job: Job) -> None:
        await self._mailer.send(letter, job, self._gate.database.clock_ms())


async def tell(acting: Acting, outbox: Outbox, account_id: int, what: str) -> None:
    """Write to an account that something of EVENTS happened to it."""
    assert what in EVENTS
    await outbox.put(acting.tx, HAPPENED, account=str(account_id), what=what)


async def addressee(read: Read, account_id: int) -> Addressee | None:
    """Whom to write to about an account; None where it gave no address."""
    rows = await read.connection.execute(
        select(accounts.c.username, credentials.c.email, credentials.c.email_confirmed_at_ms)
        .join(credentials, credentials.c.account_id == accounts.c.id)
        .where(accounts.c.id == account_id, credentials.c.email.is_not(None))
    )
    row = rows.first()
    return None if row is None else Addressee(row.username, row.email, row.email_confirmed_at_ms is not None)


def _begun_ms(job: Job) -> int | None:
    """Since when links may stand in this very letter, where an attempt to write it came before; None at the first.
    Jobs of a version that didn't write it down keep all."""
    return job.payload.get("asked_at_ms", 0) if job.attempt > 1 else None


async def _make_confirmation_in_turn(acting: Acting, job: Job) -> tuple[Addressee, str] | None:
    """None, and a job for later, as long as whoever reads the address that counts wasn't told of another one: a
    letter that is kept waiting would find the new one in its place. Of a mailbox that takes no letters for minutes
    nobody may read them any more; whoever changes the address said the password."""
    asked = {"account": job.payload["account"], "what": EMAIL_ASKED}
    told_ms = await next_run_ms(acting.tx, HAPPENED, asked, queue=QUEUE)
    has_waited_ms = acting.now_ms - job.payload.get("asked_at_ms", acting.now_ms)
    if told_ms is None or has_waited_ms > _WAITS_MAX_MS:
        return await make_confirmation(acting, int(job.payload["account"]), _begun_ms(job))
    if await finish(acting.tx, job):
        later_ms = max(told_ms, acting.now_ms) + _IN_TURN_MS
        await enqueue(acting.tx, CONFIRM, job.payload, queue=QUEUE, run_at_ms=later_ms)
    return None


async def make_confirmation(
    acting: Acting, account_id: int, kept_since_ms: int | None = None
) -> tuple[Addressee, str] | None:
    """A link that confirms the address which the account gave last, and who reads it; None without one to confirm.

    An earlier link works no more, but for those that were made since then (links.make).
    """
    pending = await links.pending_email(acting.tx, account_id)
    rows = await acting.tx.connection.execute(
        select(accounts.c.username, credentials.c.email, credentials.c.email_confirmed_at_ms)
        .join(credentials, credentials.c.account_id == accounts.c.id)
        .where(accounts.c.id == account_id)
    )
    row = rows.first()
    if row is None:
        return None
    email = pending or (row.email if row.email_confirmed_at_ms is None else None)
    if email is None:
        return None
    secret = await links.make(acting, Purpose.EMAIL, account_id, email=email, kept_since_ms=kept_since_ms)
    return Addressee(row.username, email, False), secret


async def _make_reset(
    acting: Acting, account_id: int, *, kept_since_ms: int | None
) -> tuple[Addressee, str] | None:
    to = await addressee(acting.tx, account_id)
    if to is None or not to.is_confirmed:
        return None
    # Who is locked gets their link from a person: the mailbox may be stolen, too.
    if (await standings_of(acting.tx, [account_id]))[account_id] is Standing.LOCKED:
        return None
    return to, await links.make(acting, Purpose.RESET, account_id, kept_since_ms=kept_since_ms)
