"""One decision about many accounts, in transactions of a bounded time: others write in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import msgspec

from folkmoot.gate import Acting, Gate, Permit, Refused

# SQLite has one writer: whoever posts meanwhile waits at most this long, and for a commit.
TRANSACTION_S = 0.03
REST_S = 0.1
Decide = Callable[[Acting, int], Awaitable[object]]


class Batch(msgspec.Struct, frozen=True):
    """What one transaction did: about which accounts was decided, and why not about the others."""

    decided: list[int]
    refused: dict[int, str]


async def decide_about(
    gate: Gate,
    permit: Permit,
    account_ids: Sequence[int],
    decide: Decide,
    clock_s: Callable[[], float] = time.monotonic,
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Batch]:
    """Decide about them in order; yields whenever some of it is committed and holds, and rests (s) in between: all
    that these accounts held is being closed then, by processes that need the lock and the processor too.

    Stopped at any point, what was yielded stays and the rest was not begun: the same again goes on, for a decision
    that is in force already is not made twice. `decide` refuses before it writes (Refused), which ends nothing.
    """
    begun = 0
    while begun < len(account_ids):
        left = account_ids[begun:]
        batch = await gate.act(permit, partial(_as_many, account_ids=left, decide=decide, clock_s=clock_s))
        begun += len(batch.decided) + len(batch.refused)
        yield batch
        if begun < len(account_ids):
            await rest(REST_S)


async def _as_many(
    acting: Acting, *, account_ids: Sequence[int], decide: Decide, clock_s: Callable[[], float]
) -> Batch:
    """As many of them as fit into a transaction's time; one at least."""
    batch, until_s = Batch([], {}), clock_s() + TRANSACTION_S
    for account_id in account_ids:
        try:
            await decide(acting, account_id)
            batch.decided.append(account_id)
        except Refused as refusal:
            batch.refused[account_id] = refusal.sentence
        if clock_s() >= until_s:
            break
    return batch
