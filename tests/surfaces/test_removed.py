"""The sweep once more: a Space or clip that moderators removed is on no surface, and back after a lift."""

from collections.abc import Collection
from functools import partial

import msgspec
import pytest
from tests.support.clock import FakeClock
from tests.surfaces.sweep import Scene
from tests.surfaces.swept import API, SPACE
from tests.surfaces.test_sweep import REFUSALS, Opened, everything_there, found_in, look, tokens, writes
from tests.surfaces.test_sweep import scene as scene

from folkmoot.gate import Action, Kind, Serves, Standing, Subject
from folkmoot.gate.actions import impose_on
from folkmoot.gate.standings import TABLES, keeps
from folkmoot.moderation.clips.actions import lift_clip, remove_clip
from folkmoot.moderation.spaces.actions import lift_space, mute_space, remove_space

# On the default database alone: what both do with the same statements, `test_sweep.py` shows for every surface.
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
ALL_REQUESTS_AGAIN_MS = 5 * 60_000  # limits.py
KEPT = ("scheduled_space", "ended_space", "closed_space")


async def remove(scene: Scene, name: str) -> None:
    space_id = int(scene.made[name])
    await scene.people.system(lambda acting: remove_space(acting, space_id, reason="rule 4"))


async def seen(scene: Scene, canaries: set[str], gone: Collection[str] = ()) -> list[Opened]:
    """Where any of them is found by anybody, the account itself included: but by moderators on their surfaces, and
    in the account's export. The Spaces that are `gone` open for nobody."""
    found = []
    async for one in look(scene, await tokens(scene)):
        own_data = one.surface.action is Action.EXPORT and one.who == "itself"
        judging = one.surface.serves is Serves.MODERATOR and one.who == "moderator"
        if not (own_data or judging) and {canary for canary, _, _ in found_in(scene, one)} & canaries:
            found.append(one)
        about = any(f"spaces/{id_}" in one.path for id_ in gone) and one.path.startswith(f"{API}/spaces/")
        assert not about or one.answer.status in REFUSALS, one
    return found


async def test_spaces_and_a_clip_are_nowhere_and_back_where_they_were_after_a_lift(
    scene: Scene, clock: FakeClock
) -> None:
    before = await everything_there(scene)
    for name in KEPT:
        await remove(scene, name)
    hidden = {canary for name in KEPT for canary in scene.of[name]}
    assert await seen(scene, hidden, gone=[scene.made[name] for name in KEPT]) == []
    for name in KEPT:
        space_id = int(scene.made[name])
        await scene.people.system(partial(lift_space, space_id=space_id))
    clip_id = int(scene.made["clip"])
    await scene.people.system(lambda acting: remove_clip(acting, clip_id, reason="rule 5"))
    assert await seen(scene, scene.of["media"]) == []
    await its_post_stays(scene)
    await scene.people.system(lambda acting: lift_clip(acting, clip_id))
    clock.advance_ms(ALL_REQUESTS_AGAIN_MS)
    assert await everything_there(scene) == before


async def its_post_stays(scene: Scene) -> None:
    """That of a removed clip, which says why there is no clip."""
    post = await scene.open(
        "GET /api/v1/statuses/{status_id}", f"/api/v1/statuses/{scene.made['media_post']}", None
    )
    said = msgspec.json.decode(post.body)
    assert said["media_attachments"] == []
    told = "This clip was removed by this server's moderators. Reason: rule 5"
    assert said["folkmoot"]["clip_removed"] == {"id": scene.made["clip"], "sentence": told}
    file = await scene.open("GET /media/{key}", f"/media/{scene.made['media']}.m4a", None)
    assert file.status == 410


async def test_a_removed_live_space_ends_and_says_why(scene: Scene) -> None:
    await remove(scene, "live_space")
    path = f"{API}/spaces/{scene.made['live_space']}"
    for token in (await tokens(scene)).values():
        answer = await scene.open(f"GET {SPACE}", path, token)
        assert answer.status == 410
        assert answer.says("removed by this server's moderators. Reason: rule 4")
    for surface, address, opened in writes(scene):
        if "{live_space}" in address.path and surface.serves is not Serves.MODERATOR:
            answer = await scene.open(surface.name, opened, await scene.people.token(scene.account))
            assert answer.status in REFUSALS, (surface.name, answer)


async def test_lifted_it_is_an_ended_space_like_others(scene: Scene) -> None:
    await remove(scene, "live_space")
    space_id = int(scene.made["live_space"])
    await scene.people.system(lambda acting: lift_space(acting, space_id))
    answer = await scene.open(f"GET {SPACE}", f"{API}/spaces/{space_id}", None)
    said = msgspec.json.decode(answer.body)
    assert (said["state"], said["ended_reason"]) == ("ended", "removed")


@pytest.mark.parametrize("standing", [one for one in TABLES[Kind.SPACE] if one is not Standing.ACTIVE])
async def test_commands_of_a_space_are_what_the_table_leaves(scene: Scene, standing: Standing) -> None:
    subject = Subject(Kind.SPACE, int(scene.made["live_space"]))
    await scene.people.system(lambda acting: impose_on(acting, subject, standing, reason="rule 4"))
    path = f"{API}/spaces/{subject.id}/commands"
    token = await scene.people.token(scene.account)
    answer = await scene.open(f"POST {SPACE}/commands", path, token, body={"do": "lock"})
    assert (answer.status == 200) == keeps(Kind.SPACE, standing, Action.TAKE_PART)


async def test_whoever_speaks_can_leave_a_muted_space(scene: Scene) -> None:
    space_id = int(scene.made["strangers_space"])
    await scene.people.system(partial(mute_space, space_id=space_id, reason="a raid"))
    token = await scene.people.token(scene.account)
    path = f"{API}/spaces/{space_id}/whip/{scene.made['seat']}/none"
    left = await scene.open(f"DELETE {SPACE}/whip/{{seat}}/{{connection}}", path, token)
    assert left.status == 200
