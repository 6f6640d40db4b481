"""What is hidden in what the sweep (test_sweep.py) opens. Whoever adds a surface extends this file and swept.py:

- its addresses in swept.ADDRESSES, where it has parameters (without them the test fails);
- a body in swept.BODIES, where it is not a GET and refuses an empty one before it asks who is there;
- a maker in MAKERS, where an account can publish something new through it;
- a kind in gate/register.py's Key and its maker in HELD, where it hands out something that opens a door by itself.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import numpy as np
from litestar import Litestar
from tests.support.people import People
from tests.support.telling import tell
from tests.surfaces.asking import Answer, ask
from tests.surfaces.swept import ADMIN, API, BODIES, LINK, RECORDED_MS, SPACE, USERNAME

from folkmoot.accounts import queries as account_queries
from folkmoot.accounts.model import Field, Page
from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import AuthorizationRequest, NewApplication
from folkmoot.accounts.portraits.actions import change_portraits
from folkmoot.accounts.portraits.model import Portrait
from folkmoot.accounts.profiles.actions import update_profile
from folkmoot.accounts.profiles.model import Changes
from folkmoot.accounts.relations import actions as relations
from folkmoot.clips.actions import create_clip
from folkmoot.clips.cutting import CutSound
from folkmoot.gate import ANONYMOUS, Acting, Action, Role, Visible
from folkmoot.gate.register import Key
from folkmoot.media.depot import Stored
from folkmoot.moderation.reports.actions import report
from folkmoot.moderation.reports.model import About, Category
from folkmoot.notifications import actions as notifications
from folkmoot.notifications import queries as notification_queries
from folkmoot.notifications.model import Answer as Choice
from folkmoot.notifications.model import Asked, Policy
from folkmoot.posts import actions as posts
from folkmoot.posts import edits, scheduled
from folkmoot.posts import queries as post_queries
from folkmoot.posts.boosts import boost
from folkmoot.posts.conversations import queries as conversations
from folkmoot.posts.files import actions as file_actions
from folkmoot.posts.files import queries as file_queries
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.posts.marks import actions as marks
from folkmoot.posts.marks.model import Mark
from folkmoot.posts.model import Draft as PostDraft
from folkmoot.posts.model import PollDraft, Post, Visibility
from folkmoot.recordings.actions import close_recording
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries as space_queries
from folkmoot.spaces.model import Audience, Space
from folkmoot.spaces.model import Draft as SpaceDraft
from folkmoot.surfaces.services import Services
from folkmoot.tape.checkpoint import Signer
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Note
from folkmoot.tape.signing import sign_tape
from folkmoot.tape.writer import TapeWriter
from folkmoot.timelines.filters import actions as filters
from folkmoot.timelines.filters.actions import KeywordChange
from folkmoot.timelines.filters.model import Context
from folkmoot.timelines.lists import actions as lists
from folkmoot.timelines.lists.model import RepliesPolicy
from folkmoot.timelines.tags import actions as tags

Result = TypeVar("Result")


class Scene:
    """One account that published all it can, and those who look. `made` fills the addresses."""

    def __init__(self, app: Litestar, services: Services, people: People) -> None:
        self.app = app
        self.services = services
        self.people = people
        self.account = 0
        self.stranger = 0
        self.follower = 0
        self.moderator = 0
        self.made: dict[str, str] = {}
        self.canaries: set[str] = {USERNAME}
        self.of: dict[str, set[str]] = {}  # the canaries in one thing, by what it is called in `made`

    def canary(self, name: str, *about: str) -> str:
        """Words that stand nowhere else but in some things."""
        words = f"canary{name}"
        self.canaries.add(words)
        for thing in about:
            self.of.setdefault(thing, set()).add(words)
        return words

    async def act(self, action: Action, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        """As the account."""
        return await self.people.act(self.account, action, work)

    async def post(self, draft: PostDraft, answered: Visible[Post] | None = None) -> str:
        """The id of the account's new post."""
        made = await self.act(Action.POST, lambda acting: posts.create_post(acting, draft, answered))
        return str(made.id)

    async def command(self, account_id: int, space_id: int, order: c.Command) -> Space:
        """What somebody tells a Space."""
        return await self.people.act(
            account_id, Action.TAKE_PART, lambda acting: spaces.command(acting, space_id, order)
        )

    async def open(
        self, name: str, path: str, credential: str | None, cookie: str | None = None, body: Any = None
    ) -> Answer:
        """Ask a surface at an address. `credential`: a token; `cookie`: a session; `body`: instead of BODIES'."""
        headers = {"host": urlsplit(self.services.site.base_url).netloc, "sec-fetch-site": "same-origin"}
        if credential is not None:
            headers["authorization"] = f"Bearer {credential}"
        if cookie is not None:
            headers["cookie"] = f"folkmoot_session={cookie}"
        return await ask(self.app, self.services, name, path, headers, body or BODIES.get(name))


async def the_people(scene: Scene) -> None:
    create = scene.people.create
    scene.account = await create(USERNAME)
    scene.stranger, scene.follower = await create("stranger"), await create("follower")
    scene.moderator = await create("keeper", Role.MODERATOR)
    await scene.people.follow(scene.follower, scene.account)
    await scene.people.follow(scene.account, scene.stranger)
    asking = await create("asking")
    await scene.act(Action.EDIT_PROFILE, lambda acting: update_profile(acting, Changes(locked=True)))
    await scene.people.follow(asking, scene.account)
    scene.made |= {
        "asking": str(asking),
        "account": str(scene.account),
        "stranger": str(scene.stranger),
        "follower": str(scene.follower),
        "base_url": scene.services.site.base_url,
    }


async def a_profile(scene: Scene) -> None:
    field = Field(scene.canary("fieldname"), scene.canary("fieldvalue"))
    changes = Changes(display_name=scene.canary("name"), note=scene.canary("note"), fields=(field,), indexable=True)
    await scene.act(Action.EDIT_PROFILE, lambda acting: update_profile(acting, changes))
    await scene.people.act(
        scene.follower, Action.EDIT_PROFILE, lambda acting: relations.endorse(acting, scene.account)
    )


async def some_posts(scene: Scene) -> None:
    answered = await scene.people.act(
        scene.stranger, Action.POST, lambda acting: posts.create_post(acting, PostDraft(source="What happened?"))
    )
    scene.made["strangers_post"] = str(answered.id)
    for name, visibility in (("post", Visibility.PUBLIC), ("private_post", Visibility.FOLLOWERS)):
        words = scene.canary(name.replace("_", ""))
        scene.made[name] = await scene.post(PostDraft(source=words, visibility=visibility))
    viewer = await scene.people.viewer(scene.account)
    async with scene.services.database.read() as read:
        visible = await scene.people.gate.admit_one(read, viewer, answered, "Post")
    reply = PostDraft(source=scene.canary("reply"), spoiler_text=scene.canary("warning"))
    scene.made["reply"] = await scene.post(reply, visible)


async def polls_edits_quotes_and_what_comes_later(scene: Scene) -> None:
    """A stranger quotes the account, and asks something; the account quotes the stranger."""
    asked = PollDraft(options=(scene.canary("option"), "no"), lasts_s=3_600)
    scene.made["poll_post"] = await scene.post(PostDraft(source=scene.canary("question"), poll=asked))
    scene.made["edited"] = await scene.post(PostDraft(source=scene.canary("before")))
    new = PostDraft(source=scene.canary("after"))
    await scene.act(Action.POST, partial(edits.edit, post_id=int(scene.made["edited"]), draft=new, descriptions={}))
    question = PostDraft(source="Which?", poll=PollDraft(options=("this", "that"), lasts_s=3_600))
    theirs = await scene.people.act(scene.stranger, Action.POST, partial(posts.create_post, draft=question))
    async with scene.services.database.read() as read:
        found = await post_queries.by_ids(
            read, [int(scene.made[name]) for name in ("post", "strangers_post", "poll_post")] + [theirs.id]
        )
        own, other = [await scene.people.gate.admit_one(read, ANONYMOUS, post, "Post") for post in found[:2]]
    made = partial(posts.create_post, draft=PostDraft(source="Look.", quoted_id=own.item.id), quoted=own)
    scene.made["strangers_quote"] = str((await scene.people.act(scene.stranger, Action.POST, made)).id)
    draft = PostDraft(source=scene.canary("quoting"), quoted_id=other.item.id)
    scene.made["quote"] = str(
        (await scene.act(Action.POST, partial(posts.create_post, draft=draft, quoted=other))).id
    )
    later = PostDraft(source=scene.canary("later"))
    at_ms = scene.services.clock_ms() + 86_400_000
    kept = await scene.act(Action.POST, partial(scheduled.schedule, draft=later, at_ms=at_ms))
    scene.made["scheduled_post"] = str(kept.id)
    scene.made |= {
        name: str(post.poll.id)
        for name, post in zip(("poll", "strangers_poll"), found[2:], strict=True)
        if post.poll is not None
    }


async def a_link_that_is_a_trend(scene: Scene) -> None:
    """Of the account, and of two others: it stays one without the account. First, so that no page ends before the
    posts that are looked for."""
    await scene.post(PostDraft(source=f"{scene.canary('linked')} {LINK}"))
    for other in (scene.stranger, scene.follower):
        await scene.people.act(other, Action.POST, partial(posts.create_post, draft=PostDraft(source=LINK)))


async def what_is_done_with_posts(scene: Scene) -> None:
    """A follower boosts and marks one of the account's; the account boosts a stranger's."""
    async with scene.services.database.read() as read:
        own, strangers = await post_queries.by_ids(
            read, [int(scene.made["post"]), int(scene.made["strangers_post"])]
        )
        shown = await scene.people.gate.admit_one(read, ANONYMOUS, own, "Post")
        answered = await scene.people.gate.admit_one(read, ANONYMOUS, strangers, "Post")
    for what in (Mark.FAVOURITE, Mark.BOOKMARK):
        await scene.people.act(scene.follower, Action.MARK, partial(marks.mark, what=what, shown=shown))
    for name, who, post in (("followers_boost", scene.follower, shown), ("own_boost", scene.account, answered)):
        work = partial(boost, shown=post, visibility=Visibility.PUBLIC)
        scene.made[name] = str((await scene.people.act(who, Action.POST, work)).id)


async def what_others_are_told_of_it(scene: Scene) -> None:
    """A stranger of its reply and its boost, a follower of a post that names them. It has the follower wait."""
    await scene.post(PostDraft(source=f"@follower {scene.canary('named')}"))
    policy = Policy(for_not_following=Choice.FILTER)
    await scene.act(Action.READ, lambda acting: notifications.set_policy(acting, policy))
    doorbells = scene.services.tapes_directory.parent / "doorbells"
    await tell(scene.services.database, doorbells)
    async with scene.services.database.read() as read:
        told = await notification_queries.of_account(read, scene.follower, Asked(), Page(limit=10))
        own = await notification_queries.of_account(
            read, scene.account, Asked(include_filtered=True), Page(limit=10)
        )
        waiting, *_ = await notification_queries.requests(read, scene.account, Page(limit=10))
    make = partial(lists.create, title="Friends", policy=RepliesPolicy.LIST, exclusive=False)
    made = await scene.act(Action.FOLLOW, make)
    scene.made |= {
        "notification": str(told[0].id),
        "own_notification": str(own[0].id),
        "own_group": own[0].group_key,
        "request": str(waiting.id),
        "own_list": str(made.id),
    }


async def its_spaces(scene: Scene) -> None:
    for name, audience in (
        ("scheduled_space", Audience.PUBLIC),
        ("ended_space", Audience.PUBLIC),
        ("closed_space", Audience.FOLLOWED),
        ("live_space", Audience.PUBLIC),
    ):
        title, topic = scene.canary(name.replace("_", ""), name), scene.canary(f"topic{name[:4]}", name)
        space_id = await _space(scene, scene.account, SpaceDraft(title=title, topics=(topic,), audience=audience))
        scene.made[name] = str(space_id)
        if name != "scheduled_space":
            await scene.command(scene.account, space_id, c.Start())
        if name in ("ended_space", "closed_space"):
            await scene.command(scene.account, space_id, c.End())
    ended = int(scene.made["ended_space"])
    _record(scene, ended)
    await scene.people.system(lambda acting: close_recording(acting, ended, RECORDED_MS))
    async with scene.services.database.read() as read:
        space = await space_queries.by_id(read, ended)
    assert space is not None
    scene.made["announcement"] = str(space.announcement_post_id)


async def its_clips(scene: Scene) -> None:
    for name, visibility in (("media", Visibility.PUBLIC), ("private_media", Visibility.FOLLOWERS)):
        sound = scene.canary(f"sound{name[:3]}", name, "ended_space")
        media_id = await _clip(scene, f"clips/{name}.m4a", sound)
        words = scene.canary(f"described{name[:3]}", name, "ended_space")
        await _describe(scene, media_id, words)
        draft = PostDraft(source="a clip", visibility=visibility, media_ids=(media_id,))
        scene.made |= {name: str(media_id), f"{name}_post": await scene.post(draft)}
    async with scene.services.database.read() as read:
        media = await file_queries.by_id(read, int(scene.made["media"]))
    assert media is not None
    scene.made["clip"] = str(media.clip_id)


async def its_pictures(scene: Scene) -> None:
    """A film with a preview, and an avatar."""
    film, small, avatar = [
        await _object(scene, key, content_type)
        for key, content_type in (("film", "video/mp4"), ("small", "image/png"), ("avatar", "image/png"))
    ]
    file = Media(
        id=scene.services.database.ids.next(),
        account_id=scene.account,
        kind="video",
        content_type=film.content_type,
        object_key=film.key,
        size_bytes=film.size_bytes,
        description=scene.canary("describedfilm"),
        details=MediaDetails(preview=small),
        created_at_ms=scene.services.clock_ms(),
    )
    await scene.act(Action.UPLOAD, lambda acting: file_actions.add(acting, file))
    film_post = await scene.post(PostDraft(source="a film", media_ids=(file.id,)))
    shown = Portrait(7, avatar)
    await scene.act(Action.EDIT_PROFILE, lambda acting: change_portraits(acting, {"avatar": shown}))
    scene.made |= {"film": str(file.id), "film_post": film_post}


async def _object(scene: Scene, key: str, content_type: str) -> Stored:
    content = scene.canary(f"bytes{key}").encode()
    await scene.services.objects.put(key, content, content_type)
    return Stored(key, content_type, len(content), 1, 1)


async def a_seat_in_anothers_space(scene: Scene) -> None:
    space_id = await _space(scene, scene.stranger, SpaceDraft(title="Town hall"))
    await scene.command(scene.stranger, space_id, c.Start())
    await scene.command(scene.stranger, space_id, c.Invite(account=str(scene.account)))
    space = await scene.command(scene.account, space_id, c.Accept(recording_consent=True))
    scene.made |= {"strangers_space": str(space_id), "seat": str(space.member(scene.account).seat)}


async def an_invite_of_it(scene: Scene) -> None:
    made = await scene.open(f"POST {API}/invites", f"{API}/invites", await scene.people.token(scene.account))
    invite = msgspec.json.decode(made.body)
    scene.made |= {"invite": invite["id"], "invite_code": invite["url"].partition("invite=")[2]}


async def what_the_moderator_blocks(scene: Scene) -> None:
    token = await scene.people.token(scene.moderator)
    for what, body in (
        ("ip_blocks", {"ip": "192.0.2.1", "severity": "sign_up_block", "comment": "a flood"}),
        ("canonical_email_blocks", {"email": "somebody@mail.example"}),
        ("email_domain_blocks", {"domain": "trash.example"}),
        ("domain_blocks", {"domain": "bad.example"}),
        ("domain_allows", {"domain": "good.bad.example"}),
    ):
        made = await scene.open(f"POST {ADMIN}/{what}", f"{ADMIN}/{what}", token, body=body)
        scene.made[what] = msgspec.json.decode(made.body)["id"]


async def a_report_of_it(scene: Scene) -> None:
    """By a stranger, with everything that can be reported of it."""
    async with scene.services.database.read() as read:
        (found,) = await account_queries.by_ids(read, [scene.account])
        target = await scene.people.gate.admit_one(read, ANONYMOUS, found, "Account")
    post_ids = (int(scene.made["post"]), int(scene.made["film_post"]))
    about = About(post_ids=post_ids, space_id=int(scene.made["ended_space"]), at_ms=1_000)
    made = await scene.people.act(
        scene.stranger, Action.REPORT, lambda acting: report(acting, target, about, Category.OTHER, "look")
    )
    scene.made["report"] = str(made.id)


async def what_others_read_by(scene: Scene) -> None:
    """A tag on the account's profile, a follower's list that it is in, and what it said to them alone."""
    await scene.act(Action.EDIT_PROFILE, partial(tags.feature, name=scene.canary("tag")))
    await scene.post(PostDraft(source=f"#birds and #{scene.canary('tagged')}"))
    make = partial(lists.create, title="Friends", policy=RepliesPolicy.LIST, exclusive=False)
    made = await scene.people.act(scene.follower, Action.FOLLOW, make)
    add = partial(lists.add, list_id=made.id, account_ids=[scene.account])
    await scene.people.act(scene.follower, Action.FOLLOW, add)
    new = filters.Change(title="It", contexts=tuple(Context), keywords=(KeywordChange("a word"),))
    held = await scene.people.act(scene.follower, Action.READ, partial(filters.create, new=new))
    async with scene.services.database.read() as read:
        post = await post_queries.by_id(read, int(scene.made["post"]))
        shown = await scene.people.gate.admit_one(read, ANONYMOUS, post, "Post")
    entry = partial(filters.add_status, filter_id=held.id, shown=shown)
    found_by = {
        "filter": str(held.id),
        "filter_keyword": str(held.keywords[0].id),
        "filter_entry": str(await scene.people.act(scene.follower, Action.READ, entry)),
    }
    await scene.post(PostDraft(source=f"@follower {scene.canary('direct')}", visibility=Visibility.DIRECT))
    async with scene.services.database.read() as read:
        (conversation,) = await conversations.of_account(read, scene.follower, Page(1))
    scene.made |= found_by | {"followers_list": str(made.id), "conversation": str(conversation.id)}


# In order: each publishes something as the account, with canaries in all its words.
MAKERS: list[Callable[[Scene], Awaitable[None]]] = [
    the_people,
    a_profile,
    a_link_that_is_a_trend,
    some_posts,
    polls_edits_quotes_and_what_comes_later,
    what_is_done_with_posts,
    what_others_are_told_of_it,
    its_spaces,
    its_clips,
    its_pictures,
    a_seat_in_anothers_space,
    an_invite_of_it,
    what_the_moderator_blocks,
    a_report_of_it,
    what_others_read_by,
]


class HeldKey(msgspec.Struct, frozen=True):
    """An address that opens by itself, or by a bearer token, or by a body (JSON)."""

    surface: str
    path: str
    bearer: str | None = None
    body: dict[str, str] | None = None


async def a_listen_ticket(scene: Scene, token: str) -> HeldKey:
    path = f"{API}/spaces/{scene.made['strangers_space']}"
    joined = await scene.open(f"POST {SPACE}/join", f"{path}/join", token)
    ticket = msgspec.json.decode(joined.body)["ticket"]
    return HeldKey(f"GET {SPACE}/listen", f"{path}/listen?codec=opus&ticket={ticket}")


async def a_signed_media_link(scene: Scene, token: str) -> HeldKey:
    async with scene.services.database.read() as read:
        media = await file_queries.by_id(read, int(scene.made["private_media"]))
    assert media is not None
    shown = await scene.open("GET /api/v1/media/{media_id}", f"/api/v1/media/{media.id}", token)
    url = msgspec.json.decode(shown.body)["url"]
    assert "ticket=" in url
    return HeldKey("GET /media/{key}", url.removeprefix(scene.services.site.base_url))


async def an_invite(scene: Scene, token: str) -> HeldKey:
    made = await scene.open(f"POST {API}/invites", f"{API}/invites", token)
    code = msgspec.json.decode(made.body)["url"].partition("invite=")[2]
    return HeldKey(f"GET {API}/invite/{{code}}", f"{API}/invite/{code}")


async def a_resume_token(scene: Scene, token: str) -> HeldKey:
    whip = f"{API}/spaces/{scene.made['strangers_space']}/whip"
    joined = await scene.open(f"POST {SPACE}/whip", whip, token)
    headers = dict(line.split(b": ", 1) for line in joined.headers.splitlines())
    return HeldKey(f"POST {SPACE}/whip", whip, headers[b"folkmoot-resume-token"].decode())


async def a_publishing_token(scene: Scene, token: str) -> HeldKey:
    whip = f"{API}/spaces/{scene.made['strangers_space']}/whip"
    made = await scene.open(f"POST {SPACE}/whip/tokens", f"{whip}/tokens", token)
    return HeldKey(f"POST {SPACE}/whip", whip, msgspec.json.decode(made.body)["token"])


async def a_token(_scene: Scene, token: str) -> HeldKey:
    return HeldKey("GET /api/v1/accounts/verify_credentials", "/api/v1/accounts/verify_credentials", token)


async def a_code(scene: Scene, _token: str) -> HeldKey:
    """That nobody has exchanged yet."""
    callback, scopes = "https://client.example/back", "read"
    new = NewApplication("A program", None, (callback,), scopes)
    application, secret = await scene.people.system(lambda acting: oauth.register(acting, new))
    request = AuthorizationRequest(application, callback, scopes, None, None)
    body = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "client_secret": secret,
        "redirect_uri": callback,
        "code": await scene.act(Action.AUTHORIZE, lambda acting: oauth.make_code(acting, request)),
    }
    return HeldKey("POST /oauth/token", "/oauth/token", body=body)


# Of each kind that there is: gets, with the account's token, something that opens a door without it.
HELD: dict[Key, Callable[[Scene, str], Awaitable[HeldKey]]] = {
    Key.TOKEN: a_token,
    Key.CODE: a_code,
    Key.LISTEN_TICKET: a_listen_ticket,
    Key.MEDIA_LINK: a_signed_media_link,
    Key.INVITE: an_invite,
    Key.PUBLISHING_TOKEN: a_publishing_token,
    Key.RESUME_TOKEN: a_resume_token,
}
# What is kept only as a hash opens something, too. A column that isn't here fails.
KEPT_AS_HASH = {
    "tokens.token_hash": Key.TOKEN,
    "authorization_codes.code_hash": Key.CODE,
    "applications.client_secret_hash": "a program is nobody's: what it does for an account needs a token",
    "credentials.password_hash": "signing in anew opens what the standing leaves",
    "one_time_links.secret_hash": "sets a password, opens what the standing leaves; a sign-in's carries a counter",
    "recovery_codes.code_hash": "comes after a password, and opens what the standing leaves",
    "retired_usernames.name_hash": "opens nothing: nobody is given such a name",
}


async def _space(scene: Scene, host: int, draft: SpaceDraft) -> int:
    base = scene.services.site.base_url
    made = await scene.people.act(
        host, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url=base)
    )
    return made.id


async def _clip(scene: Scene, key: str, words: str) -> int:
    """A clip of the ended Space, whose bytes are the words."""
    viewer = await scene.people.viewer(scene.account)
    async with scene.services.database.read() as read:
        found = await space_queries.by_id(read, int(scene.made["ended_space"]))
        visible = await scene.people.gate.admit_one(read, viewer, found, "Space")
    sound = CutSound(words.encode(), "audio/mp4", (), 100)
    await scene.services.objects.put(key, sound.content, sound.content_type)
    _, media = await scene.act(Action.CLIP, lambda acting: create_clip(acting, visible, 0, 1_000, sound, key, 0))
    return media.id


async def _describe(scene: Scene, media_id: int, words: str) -> Media:
    return await scene.act(Action.UPLOAD, lambda acting: file_actions.describe(acting, media_id, words))


def _record(scene: Scene, space_id: int) -> None:
    """Two seconds of silence."""
    writer = TapeWriter.open(scene.services.tapes_directory / str(space_id), scene.services.clock_ms)
    encoder = StepEncoder(writer.next_samples)
    for _ in range(RECORDED_MS // 20):
        if parts := encoder.encode(np.zeros(960, np.int16)):
            writer.append(parts, Note())
    writer.append(encoder.finish(), Note())
    writer.close()
    sign_tape(scene.services.tapes_directory / str(space_id), "moot.example", Signer("moot.example", bytes(32)))
