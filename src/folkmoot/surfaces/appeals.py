"""What people say against sanctions, for the moderators who answer."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Action, Gate, Permit, Serves
from folkmoot.moderation.appeals import queries
from folkmoot.moderation.appeals.actions import decide_appeal
from folkmoot.moderation.appeals.model import Case
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH


class WaitingAppeal(msgspec.Struct):
    """An appeal that nobody has decided. `can_decide`: not by who decided first, nor by who appealed. `kind` is
    account, space or clip, and `about` its id."""

    id: str
    kind: str
    about: str
    account: str
    username: str
    standing: str
    reason: str
    decided_at: str
    until: str | None
    text: str
    made_at: str
    can_decide: bool


class DecideAppeal(msgspec.Struct):
    """`granted` lifts the sanction; the answer is shown to the person."""

    granted: bool
    answer: str


@get(f"{PATH}/moderation/appeals", opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:read:accounts"))
async def list_appeals(permit: Permit, services: Services) -> Response[list[WaitingAppeal]]:
    """The appeals that wait for an answer, the oldest first; at most 100."""
    async with services.database.read() as read:
        cases = await queries.waiting(read)
        found = await accounts.by_ids(read, {case.appeal.account_id for case in cases})
    names = {one.item.id: one.item.username for one in services.gate.admit_to_moderate(permit, found)}
    return Response([_waiting(case, names, permit) for case in cases], headers=NO_STORE)


@post(
    f"{PATH}/moderation/appeals/{{appeal_id:str}}",
    opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:write:accounts"),
    status_code=204,
)
async def answer_appeal(appeal_id: str, data: JSONBody[DecideAppeal], permit: Permit, gate: Gate) -> None:
    """Grant an appeal, or reject it, with an answer. By somebody else than who decided first."""
    id_ = entity_id(appeal_id, "Appeal")
    await gate.act(permit, lambda acting: decide_appeal(acting, id_, granted=data.granted, answer=data.answer))


def _waiting(case: Case, names: dict[int, str], permit: Permit) -> WaitingAppeal:
    appeal, sanction = case.appeal, case.sanction
    return WaitingAppeal(
        id=str(appeal.id),
        kind=case.subject.kind.value,
        about=str(case.subject.id),
        account=str(appeal.account_id),
        username=names[appeal.account_id],
        standing=sanction.standing.value,
        reason=sanction.reason,
        decided_at=timestamp(sanction.decided_at_ms),
        until=None if sanction.until_ms is None else timestamp(sanction.until_ms),
        text=appeal.text,
        made_at=timestamp(appeal.made_at_ms),
        can_decide=permit.viewer.account_id not in (sanction.decided_by, appeal.account_id),
    )


HANDLERS: list[Any] = [list_appeals, answer_appeal]
