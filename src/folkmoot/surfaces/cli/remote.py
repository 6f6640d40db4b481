"""The evidence of a Space on a server: fetched as any listener fetches it, and believed in nothing."""

import contextlib
import http.client
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from types import FrameType
from urllib.parse import urlencode

import msgspec

from folkmoot.surfaces.cli.printable import printable
from folkmoot.tape import boxes
from folkmoot.tape.checkpoint import NOTE_BYTES_MAX, NoteInvalid, Verifier, split_notes
from folkmoot.tape.evidence import PARTS_MAX, Progress, split_leaves
from folkmoot.tape.leaf import leaf_data
from folkmoot.tape.model import SAMPLES_PER_MS, Codec, CodecConfig, PartRef, TapeDamaged
from folkmoot.tape.proof import CHECKPOINTS_MAX, Proof
from folkmoot.tape.signing import init_line
from folkmoot.tape.taken_out import TakenOut
from folkmoot.tape.verify import Evidence

PROOF_MS = 300_000
SOUND_MS = 60_000
TIMEOUT_S = 60.0
DEADLINE_S = 3600.0
TRIES = 6
SOUND_MS_MAX = 100 * PARTS_MAX
NOTES_MAX = 100_000
"""A server that goes on without end is not believed."""
_ANSWER_BYTES_MAX = 16 << 20
_PAGE = re.compile(
    r"(https?)://((?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?)"
    r"(?:/[^?#]*)?/spaces/([0-9]{1,20})(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)
_PORT_MAX = 65_535
_WAIT_S_MAX = 300
_SECONDS = re.compile("[0-9]{1,9}")
_SENTENCE_MAX = 500


class CannotVerify(Exception):
    """It can't be told whether this is intact; says why in a sentence, whoever wrote what is quoted in it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises CannotVerify where it takes longer, whatever it waits for; on the main thread only. A server may send
    a byte a minute, and each of them in time."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise CannotVerify(f"The server took longer than {seconds:g} s, which is all that it is given.")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class RemoteSpace:
    """A Space by the address of its page. Every method raises CannotVerify and OSError."""

    def __init__(
        self, get: Callable[[str], tuple[int, bytes]], host: str, space_id: str, scheme: str = "https"
    ) -> None:
        """`get` fetches a path of the server: status and body."""
        self._get = get
        self.host = host
        self.server = f"{scheme}://{host}"
        self.name = f"{host}/spaces/{space_id}"
        self.page = f"{scheme}://{self.name}"
        self._path = f"/api/folkmoot/v1/spaces/{space_id}"

    @classmethod
    def at(cls, page: str) -> "RemoteSpace":
        """From an address such as https://moot.example/spaces/123."""
        found = _PAGE.fullmatch(page)
        if found is None or int(found[3] or 1) > _PORT_MAX:
            raise CannotVerify("This is not the address of a Space: https://HOST/spaces/NUMBER.")
        scheme, host = found[1].lower(), found[2].lower()
        return cls(_Server(scheme, host).get, host, found[4], scheme)

    def verifier(self) -> Verifier:
        """The key that the server says it signs with, which has to bear its name."""
        try:
            verifier = Verifier.parse(self._proof(Codec.OPUS, 0).verifier_key)
        except NoteInvalid as error:
            raise CannotVerify("The server names a verifier key that is none.") from error
        if verifier.name != f"{self.host}/tapes":
            what = f"{self.server} names a key of {verifier.name}, not of {self.host}/tapes. If that is right, give"
            raise CannotVerify(f"{what} the key with --key.")
        return verifier

    def evidence(self, codec: Codec, progress: Progress) -> Evidence:
        """One rendition, as the server lets anybody hear it."""
        notes = self._notes(codec)
        kept, taken_out, newest = self._leaves(codec)
        sound = _Sound(kept)
        for content in self._sound(codec, kept):
            sound.take(codec, content)
            progress(sound.first + len(sound.leaves), len(kept))
        if not sound.leaves:
            raise CannotVerify(f"{self.server} serves nothing of the {codec} sound: it can't be verified.")
        init = self._fetch(f"{self._path}/media/{codec}/init.mp4")
        return Evidence(
            codec=codec,
            notes=notes,
            kept=kept,
            found=sound.leaves,
            header=_header(notes, init),
            ended=newest.ended,
            first=sound.first,
            replay_to_ms=newest.replay_to_ms,
            taken_out=taken_out,
            problems=sound.problems,
        )

    def signatures(self, config: CodecConfig) -> Evidence:
        """What was signed of one rendition, without its sound; `config` is what a file says of its own."""
        notes = self._notes(config.codec)
        kept, taken_out, newest = self._leaves(config.codec)
        header = _header(notes, boxes.init_segment(config))
        return Evidence(config.codec, notes, kept, (), header, newest.ended, taken_out=taken_out)

    def _notes(self, codec: Codec) -> list[str]:
        notes: list[str] = []
        while True:
            content = self._fetch(f"{self._path}/proof/{codec}/checkpoints", skip=len(notes))
            if len(content) > CHECKPOINTS_MAX * NOTE_BYTES_MAX:
                raise CannotVerify("The server's checkpoints are longer than any are.")
            more, _ = split_notes(content)
            notes += more
            if len(more) < CHECKPOINTS_MAX:
                return notes
            _require_bounded(notes, NOTES_MAX)

    def _leaves(self, codec: Codec) -> tuple[list[bytes], dict[int, TakenOut], Proof]:
        """What the server says was signed."""
        kept: list[bytes] = []
        taken_out: dict[int, TakenOut] = {}
        while True:
            proof = self._proof(codec, _end_ms(kept))
            if proof.first > len(kept):
                raise CannotVerify("Only the last minute of this Space can be heard, and nothing of it is kept.")
            for part in proof.replaced:
                taken_out[part.number] = TakenOut(part.redaction, part.reason, part.at_unix_ms, part.frames_sha256)
            more = split_leaves(proof.leaves)[len(kept) - proof.first :]
            if not more:
                return kept, taken_out, proof
            kept += more
            _require_bounded(kept, PARTS_MAX)

    def _proof(self, codec: Codec, from_ms: int) -> Proof:
        content = self._fetch(f"{self._path}/proof/{codec}", from_ms=from_ms, to_ms=from_ms + PROOF_MS)
        try:
            return msgspec.json.decode(content, type=Proof)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise CannotVerify(f"The server's proof can't be read: {error}.") from error

    def _sound(self, codec: Codec, kept: list[bytes]) -> Iterator[bytes]:
        """Whole chunks, a minute at a time; neighbouring minutes share a chunk."""
        end_ms = _end_ms(kept)
        if end_ms > SOUND_MS_MAX:
            raise CannotVerify("The server names a longer recording than there can be.")
        for from_ms in range(0, end_ms + SOUND_MS, SOUND_MS):
            path = f"{self._path}/media/{codec}?{urlencode({'from_ms': from_ms, 'to_ms': from_ms + SOUND_MS})}"
            status, content = self._get(path)
            if status == 416:  # trimmed, or behind the end
                continue
            yield _require_good(path, status, content)

    def _fetch(self, path: str, **parameters: int) -> bytes:
        if parameters:
            path = f"{path}?{urlencode(parameters)}"
        return _require_good(path, *self._get(path))


class _Sound:
    """The leaves of chunks as they come."""

    def __init__(self, kept: list[bytes]) -> None:
        self.first = 0
        self.leaves: list[bytes] = []
        self.problems: dict[int, str] = {}
        self._kept = kept
        self._last_number = -1

    def take(self, codec: Codec, content: bytes) -> None:
        """Chunks that follow each other; those that were there already are left out."""
        for chunk in _chunks(content):
            try:
                number, leaf = self._leaf(codec, chunk)
            except (boxes.BoxError, TapeDamaged) as error:
                number, leaf = self._last_number + 1, b""
                self.problems[self.first + len(self.leaves)] = str(error)
            if number <= self._last_number:
                continue
            if not self.leaves:
                self.first = number if number <= len(self._kept) else 0
            self._last_number = number
            self.leaves.append(leaf)
            _require_bounded(self.leaves, PARTS_MAX)

    def _leaf(self, codec: Codec, chunk: bytes) -> tuple[int, bytes]:
        parsed = boxes.parse_chunk(chunk)
        number = parsed.sequence - 1
        ref = PartRef(
            codec=codec,
            number=number,
            start_samples=parsed.start_samples,
            duration_samples=len(parsed.frames) * codec.frame_samples,
            offset=0,
            length=len(chunk),
            header_bytes=len(chunk) - sum(len(frame) for frame in parsed.frames),
            segment=0,
            checksum=0,
            peak=0,
            has_note=parsed.note is not None,
            gap=False,
        )
        said = leaf_data(ref, chunk)
        # That a silence is a gap's stands in the index, not in the sound.
        as_gap = msgspec.structs.replace(said, gap=True).encode()
        return number, as_gap if number < len(self._kept) and self._kept[number] == as_gap else said.encode()


class _Server:
    """One connection, kept open."""

    def __init__(self, scheme: str, netloc: str) -> None:
        self._scheme = scheme
        self._netloc = netloc

    @cached_property
    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        return kind(self._netloc, timeout=TIMEOUT_S)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body. A server that is busy is asked again when it says so."""
        for _ in range(TRIES):
            try:
                self._connection.request("GET", path, headers={"User-Agent": "folkmoot tape verify"})
                answer = self._connection.getresponse()
                content = answer.read(_ANSWER_BYTES_MAX)
            except http.client.HTTPException as error:
                raise CannotVerify(f"{self._netloc} does not answer as a server does: {error!r}.") from error
            if answer.status not in (429, 503):
                return answer.status, content
            wait_s = answer.headers.get("Retry-After", "1")
            time.sleep(min(int(wait_s), _WAIT_S_MAX) if _SECONDS.fullmatch(wait_s) else 1)
        return answer.status, content


def _require_good(path: str, status: int, content: bytes) -> bytes:
    if status == 200:
        return content
    try:
        sentence = msgspec.json.decode(content, type=dict[str, str])["error"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        sentence = f"{path} is answered with status {status}."
    raise CannotVerify(f"The server says: {sentence[:_SENTENCE_MAX]}")


def _require_bounded(found: Sequence[object], most: int) -> None:
    if len(found) > most:
        raise CannotVerify("The server names more parts than a recording can have.")


def _chunks(content: bytes) -> Iterator[bytes]:
    """`[emsg] moof mdat`, one after the other; bytes that are no boxes are a chunk of their own."""
    start = 0
    try:
        for kind, _, end in boxes.iterate_boxes(content):
            if kind == b"mdat":
                yield content[start:end]
                start = end
    except boxes.BoxError:
        yield content[start:]


def _header(notes: list[str], init: bytes) -> tuple[str, str]:
    """What the newest checkpoint should say. When it began is taken from there: no sound says it."""
    started = re.search(r"^started \d+$", notes[-1] if notes else "", re.MULTILINE)
    return started[0] if started else "", init_line(init)


def _end_ms(leaves: list[bytes]) -> int:
    if not leaves:
        return 0
    start, duration = int.from_bytes(leaves[-1][:8], "big"), int.from_bytes(leaves[-1][8:12], "big")
    return (start + duration) // SAMPLES_PER_MS
