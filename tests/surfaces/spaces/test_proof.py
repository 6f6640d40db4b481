"""What proves the sound, as a stranger gets it and checks it."""

from typing import Any

import httpx
import msgspec
import pytest
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.surfaces.services import Services
from folkmoot.tape.checkpoint import NoteInvalid, Signer, Verifier, split_notes
from folkmoot.tape.evidence import split_leaves
from folkmoot.tape.leaf import leaf_data
from folkmoot.tape.model import Codec
from folkmoot.tape.proof import Proof, proven
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.signing import sign_tape

SIGNER = Signer("moot.example/tapes", bytes(range(32)))


def sign(services: Services, space_id: str) -> None:
    sign_tape(services.tapes_directory / space_id, f"moot.example/spaces/{space_id}", SIGNER)


async def proof_of(client: httpx.AsyncClient, space_id: str, from_ms: int, to_ms: int) -> Proof:
    answer = await client.get(f"{SPACES}/{space_id}/proof/opus", params={"from_ms": from_ms, "to_ms": to_ms})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Proof)


async def test_a_range_proves_itself_by_the_newest_checkpoint(
    client: httpx.AsyncClient, hall: Hall, alice: Any, services: Services
) -> None:
    space_id = await hall.ended(alice)
    sign(services, space_id)
    proof = await proof_of(client, space_id, 3_050, 7_000)
    assert proof.first == 30
    checkpoint = proven(proof, Verifier.parse(proof.verifier_key))
    assert (checkpoint.origin, checkpoint.size) == (f"moot.example/spaces/{space_id}/opus", proof.parts)
    with TapeReader(services.tapes_directory / space_id) as reader:
        refs = reader.numbered(Codec.OPUS, 30, 70)
        assert split_leaves(proof.leaves) == [leaf_data(ref, reader.read([ref])).encode() for ref in refs]
    with pytest.raises(NoteInvalid):
        proven(msgspec.structs.replace(proof, leaves=bytes(77) * 40), Verifier.parse(proof.verifier_key))


async def test_checkpoints_as_text(client: httpx.AsyncClient, hall: Hall, alice: Any, services: Services) -> None:
    space_id = await hall.live(alice)
    path = f"{SPACES}/{space_id}/proof/aac"
    assert (await client.get(f"{path}/checkpoints")).status_code == 404
    nothing = await client.get(path, params={"from_ms": 0, "to_ms": 1})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_signed")
    sign(services, space_id)
    answer = await client.get(f"{path}/checkpoints")
    assert answer.headers["content-type"].startswith("text/plain")
    (note,), _ = split_notes(answer.content)
    assert SIGNER.verifier.open(note).startswith(f"moot.example/spaces/{space_id}/aac\n")
    assert (await client.get(f"{path}/checkpoints", params={"skip": 1})).text == ""


@pytest.mark.parametrize(("from_ms", "to_ms"), [(0, 0), (5, 4), (-1, 5), (0, 300_001)])
async def test_a_range_that_is_none(
    client: httpx.AsyncClient, hall: Hall, alice: Any, from_ms: int, to_ms: int
) -> None:
    space_id = await hall.live(alice)
    refused = await client.get(f"{SPACES}/{space_id}/proof/opus", params={"from_ms": from_ms, "to_ms": to_ms})
    assert (refused.status_code, refused.json()["code"]) == (422, "range_invalid")


async def test_of_what_is_not_kept_only_what_can_be_heard_is_proven(
    client: httpx.AsyncClient, hall: Hall, alice: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.recordings.sound.UNRECORDED_BACK_MS", 5_000)
    space_id = await hall.live(alice, recorded=False)
    sign(services, space_id)
    assert (await proof_of(client, space_id, 0, 20_000)).first == 89


async def test_who_may_not_hear_gets_no_proof(
    client: httpx.AsyncClient, hall: Hall, alice: Any, services: Services
) -> None:
    space_id = await hall.ended(alice, audience="invited")
    sign(services, space_id)
    for path in ("opus?from_ms=0&to_ms=1000", "opus/checkpoints"):
        assert (await client.get(f"{SPACES}/{space_id}/proof/{path}")).status_code == 404
