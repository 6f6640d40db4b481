"""What is said in a stream, made once for all who are told the same."""

from functools import cached_property

import msgspec
from websockets.frames import Frame, Opcode

UPDATE, DELETE, EDITED = "update", "delete", "status.update"
NOTIFICATION, MERGED = "notification", "notifications_merged"
FILTERS_CHANGED, CONVERSATION = "filters_changed", "conversation"
ANNOUNCEMENT, ANNOUNCEMENT_DELETED, REACTION = "announcement", "announcement.delete", "announcement.reaction"
HEARTBEAT = b":thump\n\n"


class Message:
    """An event and its payload: JSON, or an id; "" for those without."""

    def __init__(self, event: str, payload: str) -> None:
        self.event = event
        self.payload = payload
        self._frames: dict[tuple[str, ...], bytes] = {}

    @cached_property
    def piece(self) -> bytes:
        """As a server-sent event. JSON has no line break in it."""
        return f"event: {self.event}\ndata: {self.payload}\n\n".encode()

    def frame(self, label: tuple[str, ...]) -> bytes:
        """As a WebSocket's frame (RFC 6455, 5.2), which says from which stream it is."""
        known = self._frames.get(label)
        if known is None:
            said = {"stream": label, "event": self.event, "payload": self.payload}
            if not self.payload:
                del said["payload"]
            known = self._frames[label] = text_frame(msgspec.json.encode(said))
        return known


def text_frame(content: bytes) -> bytes:
    """A whole message. What a server sends is not masked, and so the same for everybody."""
    return Frame(Opcode.TEXT, content).serialize(mask=False)


def message(event: str, entity: object = None) -> Message:
    """A message about an entity, an id, or nothing."""
    if entity is None:
        return Message(event, "")
    return Message(event, entity if isinstance(entity, str) else msgspec.json.encode(entity).decode())
