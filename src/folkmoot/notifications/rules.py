"""What becomes of news, and which are one group. Pure."""

from folkmoot.notifications.model import (
    FROM_STRANGERS,
    GROUP_SPAN_MS,
    GROUPED,
    Answer,
    Kind,
    News,
    Policy,
    Sender,
)

NEW_FOR_MS = 30 * 86_400_000
_STRICTEST_LAST = (Answer.ACCEPT, Answer.FILTER, Answer.DROP)


def answer(kind: Kind, policy: Policy, sender: Sender) -> Answer:
    """The strictest of what holds for the sender. Whoever's request was accepted, and what is no stranger's doing,
    is let in."""
    if kind not in FROM_STRANGERS or sender.is_accepted:
        return Answer.ACCEPT
    said = (
        (policy.for_not_following, not sender.is_followed),
        (policy.for_not_followers, not sender.follows),
        (policy.for_new_accounts, sender.is_new and not sender.is_followed),
        (policy.for_private_mentions, sender.speaks_privately and not sender.is_followed),
        (policy.for_limited_accounts, sender.is_limited and not sender.is_followed),
    )
    return max((one for one, holds in said if holds), key=_STRICTEST_LAST.index, default=Answer.ACCEPT)


def group_key(news: News, id_: int, at_ms: int) -> str:
    """Favourites and boosts of one post, follows and sign-ups, by half days; each other is a group of its own."""
    if news.kind not in GROUPED:
        return f"ungrouped-{id_}"
    about = f"-{news.post_id}" if news.post_id is not None else ""
    return f"{news.kind.value}{about}-{at_ms // GROUP_SPAN_MS}"
