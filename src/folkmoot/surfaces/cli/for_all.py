"""`folkmoot admin emojis` and `announcements`: what whoever runs the server puts up for everybody."""

from io import BytesIO
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from folkmoot.gate import Acting, Refused
from folkmoot.media.model import Purpose, Unusable
from folkmoot.posts.emojis import actions as emojis
from folkmoot.posts.emojis import queries as emoji_queries
from folkmoot.posts.emojis.model import Emoji
from folkmoot.posts.emojis.rules import CATEGORY_CHARACTERS_MAX, FILE_BYTES_MAX, clean_shortcode
from folkmoot.surfaces.cli.running import (
    AdminServices,
    Id,
    Opener,
    Runner,
    columns,
    iso,
    one_line,
    permit_to_moderate,
    unix_ms,
)
from folkmoot.timelines.announcements import actions as announcements
from folkmoot.timelines.announcements import queries as announcement_queries
from folkmoot.timelines.announcements.model import Announcement

Shortcode = Annotated[str, typer.Argument(help="What people write between two colons.")]
Picture = Annotated[Path, typer.Argument(help="A picture, which may move; at most 256 KiB.", dir_okay=False)]
When = Annotated[str | None, typer.Option(help="A time with its zone, such as 2030-01-31T12:00Z.")]


class NewEmoji(msgspec.Struct, frozen=True):
    """A picture as it was read, and what it is to stand for."""

    shortcode: str
    content: bytes
    category: str | None
    visible_in_picker: bool


def add_for_all(app: typer.Typer, open_services: Opener) -> None:
    """Add the commands to `folkmoot admin`."""
    commands = ForAll(Runner(open_services))
    for name, says, methods in (
        ("emojis", "Custom emoji.", (commands.list_emojis, commands.add_emoji, commands.remove_emoji)),
        (
            "announcements",
            "What everybody here is told.",
            (commands.list_announcements, commands.publish_announcement, commands.withdraw_announcement),
        ),
    ):
        group = typer.Typer(no_args_is_help=True, help=says)
        for method in methods:
            group.command(method.__name__.partition("_")[0])(method)
        app.add_typer(group, name=name)


class ForAll:
    """One method for each command."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list_emojis(self) -> None:
        """List custom emoji, by category and shortcode."""
        head = ("shortcode", "category", "type", "bytes", "")
        for line in columns([head, *map(_emoji_row, self._runner.run(_emojis))]):
            typer.echo(line)

    def add_emoji(
        self,
        shortcode: Shortcode,
        file: Picture,
        category: Annotated[str | None, typer.Option(help="Under which heading programs show it.")] = None,
        hidden: Annotated[bool, typer.Option("--hidden", help="Programs don't offer it.")] = False,
    ) -> None:
        """Add a picture that stands for :SHORTCODE:, in place of one that does already."""
        try:
            with file.open("rb") as source:
                content = source.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            raise typer.BadParameter(f"It can't be read: {error}", param_hint="FILE") from error
        new = NewEmoji(shortcode, content, category, not hidden)
        made = self._runner.run(lambda services: _add_emoji(services, new))
        typer.echo(f":{made.shortcode}: is there ({made.content_type}, {made.size_bytes} bytes).")

    def remove_emoji(self, shortcode: Shortcode) -> None:
        """Remove a custom emoji. Posts that name it show its shortcode from then on."""
        name = shortcode.strip(":")
        self._runner.moderate(lambda acting: emojis.remove(acting, name))
        typer.echo(f":{name}: is removed.")

    def list_announcements(self) -> None:
        """List announcements that have not ended, the last first."""
        head = ("announcement", "published", "ends", "text")
        for line in columns([head, *map(_announcement_row, self._runner.run(_announcements))]):
            typer.echo(line)

    def publish_announcement(
        self,
        text: Annotated[str, typer.Argument(help="Plain text; links and hashtags become links.")],
        starts: When = None,
        ends: When = None,
        all_day: Annotated[bool, typer.Option("--all-day", help="Programs show days, not hours.")] = False,
    ) -> None:
        """Tell everybody something, at once. It is shown until its end, or until it is withdrawn."""
        starts_at_ms = None if starts is None else unix_ms(starts)
        ends_at_ms = None if ends is None else unix_ms(ends)

        async def published(acting: Acting) -> int:
            return await announcements.publish(
                acting, text, starts_at_ms=starts_at_ms, ends_at_ms=ends_at_ms, all_day=all_day
            )

        typer.echo(f"Announcement {self._runner.moderate(published)} is published.")

    def withdraw_announcement(
        self, announcement: Annotated[int, Id(help="Its id, as `announcements list` prints it.")]
    ) -> None:
        """Take an announcement back."""
        self._runner.moderate(lambda acting: announcements.withdraw(acting, announcement))
        typer.echo(f"Announcement {announcement} is withdrawn.")


async def _add_emoji(services: AdminServices, new: NewEmoji) -> Emoji:
    name = clean_shortcode(new.shortcode)
    if new.category is not None and len(new.category) > CATEGORY_CHARACTERS_MAX:
        raise Refused("category_too_long", f"A category has at most {CATEGORY_CHARACTERS_MAX} characters.")
    if len(new.content) > FILE_BYTES_MAX:
        raise Refused("file_too_large", f"The file has more than {FILE_BYTES_MAX // 1024} KiB.")
    id_ = services.database.ids.next()
    try:
        made = await services.depot.at_once(BytesIO(new.content), Purpose.EMOJI, f"emojis/{id_}")
    except Unusable as error:
        raise Refused("unusable_file", f"{error}.") from error
    entered = Emoji(
        id=id_,
        shortcode=name,
        category=one_line(new.category) if new.category else None,
        visible_in_picker=new.visible_in_picker,
        content_type=made.original.content_type,
        object_key=made.original.key,
        static_key=(made.small or made.original).key,
        size_bytes=made.original.size_bytes,
    )
    await services.gate.act(permit_to_moderate(services), lambda acting: emojis.add(acting, entered))
    return entered


async def _emojis(services: AdminServices) -> list[Emoji]:
    async with services.database.read() as read:
        return await emoji_queries.every(read)


def _emoji_row(one: Emoji) -> tuple[str, ...]:
    hidden = "" if one.visible_in_picker else "hidden"
    return (one.shortcode, one.category or "", one.content_type, str(one.size_bytes), hidden)


async def _announcements(services: AdminServices) -> list[Announcement]:
    async with services.database.read() as read:
        return await announcement_queries.shown(read, None)


def _announcement_row(one: Announcement) -> tuple[str, ...]:
    return (str(one.id), iso(one.published_at_ms), iso(one.ends_at_ms), one_line(one.text))
