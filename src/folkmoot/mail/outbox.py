"""Where letters wait: as jobs that name what to write and to whom, never its words, a secret or an address.

What a letter says is read when it is sent: a link's secret is made in that moment and stored by its digest only.
"""

from typing import Any

import msgspec

from folkmoot.storage.database import Write
from folkmoot.storage.jobs import enqueue

QUEUE = "mail"


class Outbox(msgspec.Struct, frozen=True):
    """`is_open`: whether the server has somebody who takes letters; what is put in otherwise is not kept."""

    is_open: bool

    async def put(self, tx: Write, kind: str, /, **payload: Any) -> None:
        """Have the letter `kind` written and sent, if this transaction commits."""
        if self.is_open:
            await enqueue(tx, kind, {**payload, "asked_at_ms": tx.now_ms}, queue=QUEUE)
