"""Signed checkpoints of a tree, in the open formats: C2SP signed-note and tlog-checkpoint, Ed25519. Pure.

A checkpoint's text is the origin, the tree's size, its root in base64, and lines of its own (extensions). A note is
such a text, an empty line, and a line `— name base64(key id, signature)`. Others verify it with the verifier key
`name+id+base64(0x01, public key)`, where the id is the start of a hash of name and key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from folkmoot.tape.merkle import HASH_BYTES
from folkmoot.tape.model import TapeError

NOTE_BYTES_MAX = 4096
_DASH = "— "
_ED25519 = b"\x01"
_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_KEY_BYTES = 32
_SIZE_DIGITS_MAX = 18


class NoteInvalid(TapeError):
    """Not a note, not a checkpoint, or not signed by the key that was asked for."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree as it was: how many leaves it had, and their root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        assert all(line and "\n" not in line for line in lines)
        return "\n".join(lines) + "\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads back what Checkpoint.text() wrote. Raises NoteInvalid."""
    origin, size, root, *extensions = [*text.removesuffix("\n").split("\n"), "", ""]
    extensions = extensions[:-2]
    if not (text.endswith("\n") and origin and size.isascii() and size.isdigit() and len(size) <= _SIZE_DIGITS_MAX):
        raise NoteInvalid("This is not a checkpoint.")
    checkpoint = Checkpoint(origin, int(size), _unbase64(root), tuple(extensions))
    if str(checkpoint.size) != size or len(checkpoint.root) != HASH_BYTES or "" in extensions:
        raise NoteInvalid("This is not a checkpoint.")
    return checkpoint


class Verifier:
    """Opens the notes of one key."""

    def __init__(self, name: str, public_key: bytes) -> None:
        """Raises NoteInvalid for a name with spaces, a plus or what can't be shown, and a key of another length."""
        if not name or {" ", "+"} & set(name) or not name.isprintable() or len(public_key) != _KEY_BYTES:
            raise NoteInvalid("This is not a verifier key.")
        self.name = name
        self.key_id = _key_id(name, public_key)
        self._public_key = public_key

    @classmethod
    def parse(cls, key: str) -> Verifier:
        """From the line that `str()` gives. Raises NoteInvalid."""
        name, _, rest = key.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        public_key = _unbase64(encoded)
        if public_key[:1] != _ED25519:
            raise NoteInvalid("This is not a verifier key for Ed25519: name+id+base64.")
        verifier = cls(name, public_key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteInvalid("The id in this verifier key is not that of its name and key.")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self._public_key)}"

    def open(self, note: str) -> str:
        """The text of a note that this key signed; the signatures of others don't matter. Raises NoteInvalid."""
        text, signatures = _split(note)
        signed = [signature for name, signature in signatures if name == self.name]
        mine = [signature[_ID_BYTES:] for signature in signed if signature[:_ID_BYTES] == self.key_id]
        if not mine:
            raise NoteInvalid(f"This is not signed by the key {self.name}+{self.key_id.hex()}.")
        try:
            for signature in mine:
                Ed25519PublicKey.from_public_bytes(self._public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise NoteInvalid("The signature is not of this text.") from error
        return text


class Signer:
    """Signs as `name` with an Ed25519 key of 32 random bytes."""

    def __init__(self, name: str, key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note of a text that ends with a newline."""
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {_base64(signature)}\n"


def split_notes(data: bytes) -> tuple[list[str], int]:
    """The notes that follow each other in a file, and how many bytes are whole: what is behind is a torn one.

    A note ends with its first line of signature. Lines that aren't text are no notes, but what follows them may be.
    """
    notes, start, whole = [], 0, 0
    while (at := data.find(f"\n\n{_DASH}".encode(), start)) >= 0 and (end := data.find(b"\n", at + 2)) >= 0:
        notes.append(data[start : end + 1].decode("utf-8", "replace"))
        start = whole = end + 1
    return notes, whole


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and (name, key id and signature) of each line behind it."""
    if len(note) > NOTE_BYTES_MAX or any(letter < " " and letter != "\n" for letter in note):
        raise NoteInvalid("This is not a signed note.")
    text, empty_line, behind = note.rpartition("\n\n")
    if not empty_line or not behind.endswith("\n"):
        raise NoteInvalid("This is not a signed note.")
    return text + "\n", [_signature(line) for line in behind.removesuffix("\n").split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = _unbase64(encoded)
    if not line.startswith(_DASH) or not name or len(signature) <= _ID_BYTES:
        raise NoteInvalid("This is not a signed note.")
    return name, signature


def _key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_ID_BYTES]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise NoteInvalid("This is not base64.") from error
    if _base64(data) != text:  # one encoding only: bits behind the last byte are zero
        raise NoteInvalid("This is not base64.")
    return data
