"""What the server says when it starts: its address and, until there is an owner, the link that makes one."""

import asyncio
import os
import traceback
from typing import TextIO

from folkmoot.accounts.actions import make_owner_link
from folkmoot.gate import Action, Gate
from folkmoot.storage.database import Database

CLI_SLOT = 63


def announce(database_url: str, base_url: str, out: TextIO) -> None:
    """Print the address, and a fresh one-time link if the server has no owner yet.

    The database must not be opened in the supervisor, which forks: a child of its own does that and is gone.
    """
    out.write(f"\nFolkmoot is at {base_url}\n")
    out.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            secret = asyncio.run(_owner_secret(database_url))
            if secret is not None:
                out.write(
                    f"It has no owner yet. Open this link once to become it: {base_url}/setup?secret={secret}\n"
                )
            out.write("\n")
            out.flush()
            code = 0
        except BaseException:
            # The last frame of a process: whatever it was, it is written down.
            traceback.print_exc()
        finally:
            os._exit(code)
    os.waitpid(child, 0)


async def _owner_secret(database_url: str) -> str | None:
    database = Database(database_url, slot=CLI_SLOT)
    try:
        gate = Gate(database)
        return await gate.act(gate.permit_system(Action.SIGN_IN, "first start"), make_owner_link)
    finally:
        await database.close()
