"""Every kind of job, and what runs it."""

import sys
from collections.abc import Mapping

from folkmoot.accounts.deletion import DELETE_ACCOUNT
from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Gate
from folkmoot.leaving.job import Leaving
from folkmoot.media.depot import Depot
from folkmoot.media.processing import Workshop
from folkmoot.notifications.push import sending
from folkmoot.notifications.push.actions import PUSH
from folkmoot.notifications.push.sealing import KEY as WEB_PUSH
from folkmoot.notifications.push.sealing import Sender
from folkmoot.notifications.push.sending import Pushing
from folkmoot.notifications.telling import STARTING_SOON, TELL_MORE, Telling
from folkmoot.posts import polls, scheduled
from folkmoot.posts.files import processing
from folkmoot.posts.files.actions import PROCESS
from folkmoot.posts.files.claims import CLEAR_UNCLAIMED, unclaimed_clearer
from folkmoot.posts.labelling import LABEL_NAMED, named_labeller
from folkmoot.recordings.actions import DELETE_TAPE, tape_deleter
from folkmoot.recordings.redacting import REDACT, TAKE_BACK
from folkmoot.serve.archive import archived_tape_deleter
from folkmoot.serve.places import Places
from folkmoot.spaces import threads
from folkmoot.storage.discarding import DELETE_OBJECTS, object_deleter
from folkmoot.storage.forgetting import FORGET_WORDS, word_forgetter
from folkmoot.storage.jobs import Handler, RetryPolicy
from folkmoot.storage.keys import load_or_create_key
from folkmoot.storage.objects import ObjectStore

_UNTIL_DONE = RetryPolicy(attempts_max=sys.maxsize, delay_ms_max=600_000)
RETRIES = {
    DELETE_ACCOUNT: _UNTIL_DONE,
    LABEL_NAMED: _UNTIL_DONE,
    REDACT: _UNTIL_DONE,
    TAKE_BACK: _UNTIL_DONE,
    PROCESS: processing.RETRY,
    PUSH: sending.RETRY,
}
"""What was promised to somebody is never given up, nor what nobody would begin again."""


def handlers(
    gate: Gate, places: Places, base_url: str, remote: ObjectStore | None, workshop: Workshop
) -> Mapping[str, Handler]:
    """The worker's jobs by kind. `remote` is where tapes are copied to, if anywhere."""
    delete_tape = tape_deleter(places.tapes)
    objects = remote or ObjectStore.open(places.objects or str(places.media))
    carrying = Carrying(gate, objects, places.tapes)
    sender = Sender(load_or_create_key(places.keys, WEB_PUSH), base_url)
    pushing = Pushing(gate, sender, base_url, to_private=places.push_to_private_networks)
    return {
        DELETE_ACCOUNT: Leaving(gate).run,
        DELETE_TAPE: delete_tape if remote is None else archived_tape_deleter(delete_tape, remote),
        DELETE_OBJECTS: object_deleter(objects),
        CLEAR_UNCLAIMED: unclaimed_clearer(gate.database, objects),
        FORGET_WORDS: word_forgetter(gate.database),
        LABEL_NAMED: named_labeller(gate.database),
        PROCESS: processing.Processing(gate, Depot(objects, workshop), gate.database.clock_ms).run,
        PUSH: pushing.run,
        STARTING_SOON: Telling(gate).run_starting_soon,
        TELL_MORE: Telling(gate).run_tell_more,
        scheduled.PUBLISH: scheduled.publisher(gate, threads.admit),
        polls.CLOSE: polls.closer(gate),
        REDACT: carrying.run_redact,
        TAKE_BACK: carrying.run_take_back,
    }
