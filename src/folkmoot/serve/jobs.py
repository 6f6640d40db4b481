"""Every kind of job, and what runs it."""

from collections.abc import Mapping

from folkmoot.posts.actions import DELETE_OBJECTS, object_deleter
from folkmoot.recordings.actions import DELETE_TAPE, tape_deleter
from folkmoot.serve.places import Places
from folkmoot.storage.jobs import Handler
from folkmoot.storage.objects import ObjectStore


def handlers(places: Places) -> Mapping[str, Handler]:
    """The worker's jobs by kind."""
    return {
        DELETE_TAPE: tape_deleter(places.tapes),
        DELETE_OBJECTS: object_deleter(ObjectStore.open(places.objects or str(places.media))),
    }
