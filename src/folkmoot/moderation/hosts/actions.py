"""Decisions about hosts of other networks. Each runs inside `Gate.act`, by a moderator or the system."""

from folkmoot.gate import Acting, Kind, Refused, Standing, Subject, subjects
from folkmoot.gate.actions import impose_on, lift_from
from folkmoot.gate.hosts import canonical
from folkmoot.gate.model import Sanction
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.hosts import queries
from folkmoot.moderation.hosts.model import Decided

_WORD = {Standing.LIMITED: "limited", Standing.SUSPENDED: "suspended", Standing.ACTIVE: "allowed"}


async def decide(
    acting: Acting, host: str, standing: Standing, *, own_host: str, reason: str = "", private_note: str = ""
) -> Decided:
    """Limit or suspend a host and all that is below it, or allow it although a host above is stopped (ACTIVE).

    It replaces what was decided about this very name before. `reason` may be shown to everybody. Raises Refused
    422: no host's name, this server's own (`own_host`), the same again.
    """
    name = canonical(host)
    if name == canonical(own_host):
        raise Refused("own_host", "That is this server.", status=422)
    subject = Subject(Kind.HOST, name)
    held = [one for one in (await subjects.open_of(acting.tx, [subject]))[subject] if one.in_force(acting.now_ms)]
    note = clean_text(private_note, "private_comment") if private_note.strip() else ""
    why = clean_text(reason, "public_comment") if reason.strip() else ""
    if any((one.standing, one.reason, one.private_note) == (standing, why, note) for one in held):
        raise Refused("decided_already", f"{name} is {_WORD[standing]} already.", status=422)
    await lift_from(acting, subject, held)
    return Decided(name, await impose_on(acting, subject, standing, reason=why, private_note=note))


async def lift_by_name(acting: Acting, host: str) -> str:
    """Lift what is decided about this very name; return it in its one form. Raises Refused 422 for nothing."""
    name = canonical(host)
    subject = Subject(Kind.HOST, name)
    held = [one for one in (await subjects.open_of(acting.tx, [subject]))[subject] if one.in_force(acting.now_ms)]
    if not held:
        raise Refused("nothing_to_lift", f"Nothing is decided about {name} itself.", status=422)
    await lift_from(acting, subject, held)
    return name


async def lift(acting: Acting, sanction_id: int, standings: tuple[Standing, ...]) -> Sanction:
    """Lift one decision. Raises Refused 404 for one that isn't in force, or of another kind."""
    found = await queries.by_id(acting.tx, sanction_id, standings)
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return await lift_from(acting, Subject(Kind.HOST, found.host), [found.sanction])
