"""Conversations as plain data."""

import msgspec


class Conversation(msgspec.Struct, frozen=True):
    """One account's side of a conversation. Shown to that account only; the post passes the gate for itself."""

    id: int
    last_post_id: int
    unread: bool
