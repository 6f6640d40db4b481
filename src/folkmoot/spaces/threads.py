"""What can be answered: a post, or the conversation of a Space, which goes on where the Space does."""

from folkmoot.gate import Gate, Viewer, Visible
from folkmoot.posts import queries as posts
from folkmoot.posts.model import Post, Thread
from folkmoot.spaces import queries
from folkmoot.storage.database import Read


async def admit(read: Read, gate: Gate, viewer: Viewer, post_id: int) -> Visible[Post | Thread]:
    """A post, or where that may not be seen but announces a Space that may: the Space's conversation. Raises
    Refused 404."""
    found = await posts.by_id(read, post_id)
    announced = await queries.by_id(read, found.space_id) if found is not None and found.space_id else None
    if found is None or announced is None:
        return await gate.admit_one(read, viewer, found, "Record")
    either: list[Post | Thread] = [found, Thread(found, announced.gate_facts())]
    admitted = await gate.admit(read, viewer, either)
    return admitted[0] if admitted else await gate.admit_one(read, viewer, found, "Record")
