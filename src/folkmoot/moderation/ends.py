"""Sanctions that end at their time. Nobody decides anything then; it is told like a lift, by the same event."""

from folkmoot.gate import Acting, Action, Gate
from folkmoot.gate.actions import announce
from folkmoot.gate.standings import holding
from folkmoot.gate.subjects import open_of
from folkmoot.moderation.queries import ended_since
from folkmoot.storage.database import Read
from folkmoot.storage.facts import read_fact, write_fact

_TOLD_UNTIL = "sanctions.ends_told_until_ms"


async def tell_ended(gate: Gate) -> None:
    """Announce whose sanctions ended since the last call, each once: how far that came is written in the same
    transaction. What ended before the first call ever is not announced any more. Where the clock was set back,
    what had ended holds again, and its end is announced again."""
    async with gate.database.read() as read:
        told_ms = await _told_until_ms(read)
        if told_ms is not None and told_ms <= read.now_ms and not await ended_since(read, told_ms):
            return
    await gate.act(gate.permit_system(Action.MODERATE, "worker: sanctions that ended"), _tell)


async def _tell(acting: Acting) -> None:
    told_ms = await _told_until_ms(acting.tx)
    await write_fact(acting.tx, _TOLD_UNTIL, acting.now_ms)
    if told_ms is None:
        return
    for subject in await ended_since(acting.tx, told_ms):
        held = (await open_of(acting.tx, [subject]))[subject]
        ends_ms = [one.until_ms for one in held if one.until_ms is not None and one.until_ms > told_ms]
        before = holding(held, min(ends_ms) - 1)
        await announce(acting, subject, before, holding(held, acting.now_ms))


async def _told_until_ms(read: Read) -> int | None:
    told_ms: int | None = await read_fact(read, _TOLD_UNTIL)
    return told_ms
