"""By which words and labels a post is found: kept in step with it, in its own transaction. Boosts have no words."""

from collections.abc import Iterable

from sqlalchemy import cast, delete, insert, select
from sqlalchemy.dialects.postgresql import TSVECTOR

from folkmoot.gate import Acting
from folkmoot.posts import text
from folkmoot.posts.model import Draft, Post, Visibility
from folkmoot.storage import words
from folkmoot.storage.database import Write
from folkmoot.storage.forgetting import forget_words
from folkmoot.storage.tables.posts import media
from folkmoot.storage.tables.search import post_words


async def came(acting: Acting, post: Post, draft: Draft) -> None:
    """Enter a post with what a clean draft said: what its files show is among its words."""
    files = []
    if draft.media_ids:
        attached = select(media.c.kind, media.c.description).where(
            media.c.post_id == post.id, media.c.position >= 0
        )
        files = list(await acting.tx.connection.execute(attached))
    options = draft.poll.options if draft.poll is not None else ()
    said = [post.spoiler_text, post.source, *options, *(file.description for file in files)]
    found = labels(post, kinds=[file.kind for file in files], has_poll=bool(options))
    row = (words.fts5_row if acting.tx.is_sqlite else words.tsvector_row)(words.tokens("\n".join(said)), found)
    await _insert(acting.tx, post.id, row)


async def went(acting: Acting, post_id: int) -> None:
    await acting.tx.connection.execute(delete(post_words).where(post_words.c.post_id == post_id))
    await forget_words(acting.tx)


async def changed(acting: Acting, post: Post, draft: Draft) -> None:
    """Enter an edited post with what it says now."""
    await went(acting, post.id)
    await came(acting, post, draft)


def labels(post: Post, *, kinds: Iterable[str] = (), has_poll: bool = False) -> list[str]:
    """What is said of a post in the index beside its words: what filters of a search ask for. Pure."""
    kinds = sorted(set(kinds))
    said = {
        "post": True,
        f"from:{post.account_id}": True,
        "in:public": post.visibility is Visibility.PUBLIC and post.circle is None,
        f"language:{words.language_label(post.language or '')}": post.language,
        "is:reply": post.in_reply_to_id is not None,
        "is:sensitive": post.sensitive,
        "is:quote": post.quoted is not None,
        "has:media": kinds,
        "has:poll": has_poll,
        "has:link": any(isinstance(piece, text.Url) for piece in text.tokens(post.source)),
        "has:space": post.space_id is not None,
    }
    has = [f"has:{kind}" for kind in kinds]
    return [*(name for name, holds in said.items() if holds), *has, *labels_of_named(post.mentions)]


def labels_of_named(account_ids: Iterable[int]) -> list[str]:
    """The last of a post's labels: whom it names. Pure."""
    return [f"to:{account_id}" for account_id in account_ids]


async def _insert(tx: Write, post_id: int, row: str) -> None:
    kept = row if tx.is_sqlite else cast(row, TSVECTOR)
    await tx.connection.execute(insert(post_words).values(post_id=post_id, words=kept))
