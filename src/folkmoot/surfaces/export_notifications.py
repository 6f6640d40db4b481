"""What one was told, from whom one wants to be told, and where it is pushed to: of one's own data."""

from typing import Any

import msgspec

from folkmoot.accounts.model import Page
from folkmoot.gate import Permit
from folkmoot.notifications import queries
from folkmoot.notifications.model import Asked
from folkmoot.notifications.push import queries as push
from folkmoot.storage.database import Read
from folkmoot.surfaces.export_rows import PAGE, Row, Section, go_on_from
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services


async def wishes(read: Read, account_id: int) -> Row:
    """From whom, and where to. What seals is the browser's own."""
    return {
        "policy": msgspec.to_builtins(await queries.policy_of(read, account_id)),
        "pushed_to": [one.endpoint for one in await push.of_accounts(read, [account_id])],
    }


async def _notifications(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    asked, page = Asked(include_filtered=True), Page(PAGE, max_id=after_id)
    rows = await queries.of_account(read, permit.viewer.id, asked, page)
    shown = [
        {
            "id": str(one.item.id),
            "kind": one.item.kind.value,
            "created_at": timestamp(one.item.created_at_ms),
            "account": str(one.item.from_id),
            "post": None if one.item.post_id is None else str(one.item.post_id),
        }
        for one in await services.gate.admit_to_export(read, permit, rows)
    ]
    return shown, go_on_from([row.id for row in rows])


SECTIONS: dict[str, Section] = {"notifications": _notifications}
