"""How Spaces, clips, applications and hosts stand: the gate's reads of them, and what is said to people."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from folkmoot.gate.hosts import and_above, holding_for
from folkmoot.gate.model import Action, Kind, Refused, Sanction, Standing, Subject
from folkmoot.gate.standings import TOLD, holding, keeps
from folkmoot.storage.database import Read
from folkmoot.storage.tables.people import sanctions
from folkmoot.storage.tables.spaces import clips, spaces

COLUMNS = {
    Kind.ACCOUNT: sanctions.c.account_id,
    Kind.SPACE: sanctions.c.space_id,
    Kind.CLIP: sanctions.c.clip_id,
    Kind.APPLICATION: sanctions.c.application_id,
    Kind.HOST: sanctions.c.host,
}
GONE = 410


async def open_of(read: Read, subjects: Collection[Subject]) -> dict[Subject, list[Sanction]]:
    """What nobody lifted, of each of these. One statement; none for nothing."""
    found: dict[Subject, list[Sanction]] = {subject: [] for subject in subjects}
    if not found:
        return found
    statement = select(sanctions).where(or_(*about(subjects)), sanctions.c.lifted_at_ms.is_(None))
    for row in await read.connection.execute(statement):
        found[subject_of_row(row)].append(sanction_of_row(row))
    return found


async def ids_under(read: Read, kind: Kind) -> list[Any]:
    """Everything of a kind about which something is in force. One statement."""
    column = COLUMNS[kind]
    rows = await read.connection.execute(
        select(column)
        .distinct()
        .where(
            column.is_not(None),
            sanctions.c.lifted_at_ms.is_(None),
            or_(sanctions.c.until_ms.is_(None), sanctions.c.until_ms > read.now_ms),
        )
        .order_by(column)
    )
    return list(rows.scalars())


async def by_ids(read: Read, sanction_ids: Collection[int]) -> dict[int, tuple[Subject, Sanction]]:
    """Decisions by their ids, each with what it is about. One statement."""
    rows = await read.connection.execute(select(sanctions).where(sanctions.c.id.in_(sanction_ids)))
    return {row.id: (subject_of_row(row), sanction_of_row(row)) for row in rows}


async def open_about(read: Read, account_id: int) -> dict[Subject, list[Sanction]]:
    """What nobody lifted and is for an account to appeal against: about itself, Spaces that it made or hosts, and
    clips that it cut. One statement."""
    own_spaces = select(spaces.c.id).where(or_(spaces.c.host_id == account_id, spaces.c.creator_id == account_id))
    own_clips = select(clips.c.id).where(clips.c.account_id == account_id)
    rows = await read.connection.execute(
        select(sanctions).where(
            or_(
                sanctions.c.account_id == account_id,
                sanctions.c.space_id.in_(own_spaces),
                sanctions.c.clip_id.in_(own_clips),
            ),
            sanctions.c.lifted_at_ms.is_(None),
        )
    )
    found: dict[Subject, list[Sanction]] = {}
    for row in rows:
        found.setdefault(subject_of_row(row), []).append(sanction_of_row(row))
    return found


async def sanctions_about(read: Read, subject: Subject) -> list[Sanction]:
    """The whole history of one subject, the newest first."""
    rows = await read.connection.execute(
        select(sanctions).where(COLUMNS[subject.kind] == subject.id).order_by(sanctions.c.id.desc())
    )
    return [sanction_of_row(row) for row in rows]


async def held(read: Read, subjects: Collection[Subject]) -> dict[Subject, Sanction]:
    """What each stands under now. One statement."""
    return {
        subject: holding(open_ones, read.now_ms) for subject, open_ones in (await open_of(read, subjects)).items()
    }


async def hosts_held(read: Read, names: Collection[str]) -> dict[str, Sanction]:
    """What each host, by its canonical name, stands under now, by its own name or one above. One statement."""
    above = {Subject(Kind.HOST, one) for name in names for one in and_above(name)}
    by_name = {str(subject.id): decided for subject, decided in (await open_of(read, above)).items()}
    return {name: holding_for(name, by_name, read.now_ms) for name in names}


async def require(read: Read, subject: Subject, action: Action) -> None:
    """Whether people may do this to, or with, a thing as it stands now. Raises Refused with the reason."""
    now = (await held(read, [subject]))[subject]
    if not keeps(subject.kind, now.standing, action):
        raise refusal(subject.kind, now)


def refusal(kind: Kind, now: Sanction) -> Refused:
    """What is said of a thing that isn't as it was: 410 where it is gone."""
    return Refused(f"{kind.value}_{now.standing.value}", sentence(kind, now), status=GONE)


def sentence(kind: Kind, now: Sanction) -> str:
    """For everybody: what was decided, and why."""
    told = TOLD[kind][now.standing]
    return f"{told} Reason: {now.reason}" if now.reason else told


def about(subjects: Collection[Subject]) -> list[ColumnElement[bool]]:
    """Conditions for the rows that are about one of these: for `or_`."""
    ids: dict[Kind, list[int | str]] = {}
    for subject in subjects:
        ids.setdefault(subject.kind, []).append(subject.id)
    return [COLUMNS[kind].in_(of_kind) for kind, of_kind in ids.items()]


def subject_of_row(row: Any) -> Subject:
    """What a row of `sanctions` is about."""
    for kind, column in COLUMNS.items():
        if (id_ := getattr(row, column.name)) is not None:
            return Subject(kind, id_)
    raise AssertionError("a sanction is about something")


def sanction_of_row(row: Any) -> Sanction:
    """A row of `sanctions`, whoever it is about."""
    return Sanction(
        standing=Standing(row.standing),
        reason=row.reason,
        until_ms=row.until_ms,
        id=row.id,
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
        lifted_by=row.lifted_by,
        lifted_at_ms=row.lifted_at_ms,
        private_note=row.private_note,
    )
