"""From what somebody typed to what a post keeps of it: HTML, whom it mentions, tags."""

import msgspec

from folkmoot.gate import Acting
from folkmoot.posts import queries, rules, text


class Words(msgspec.Struct, frozen=True):
    """`mentions` are accounts of this server, in the order in which they are named."""

    html: str
    mentions: tuple[int, ...]
    tags: tuple[str, ...]


async def words(acting: Acting, source: str) -> Words:
    """Raises Refused 422 for too many mentions."""
    pieces = text.tokens(source)
    named = text.mentioned_usernames(pieces)
    rules.require_mentions_bounded(named)
    known = await queries.usernames(acting.tx, named)
    return Words(
        html=text.to_html(pieces, {folded: username for folded, (_, username) in known.items()}),
        mentions=tuple(known[folded][0] for folded in named if folded in known),
        tags=tuple(text.tag_names(pieces)),
    )
