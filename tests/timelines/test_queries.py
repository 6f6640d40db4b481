"""What stands in a timeline, on both databases: compared with the plain definition."""

import random

from tests.support.sounds import a_sound
from tests.support.square import Square

from folkmoot.accounts.model import Page
from folkmoot.gate import Action
from folkmoot.posts.actions import delete_post
from folkmoot.posts.edits import edit
from folkmoot.posts.model import Draft, Post, Visibility
from folkmoot.timelines import merged, queries


def ids(found: list[Post]) -> list[int]:
    return [post.id for post in found]


def paged(all_ids: list[int], page: Page) -> list[int]:
    """The definition of a page: `all_ids` are ascending, the answer is descending."""
    after = max(page.since_id or 0, page.min_id or 0)
    inside = [id_ for id_ in all_ids if id_ > after and (page.max_id is None or id_ < page.max_id)]
    chosen = inside[: page.limit] if page.min_id is not None else inside[-page.limit :]
    return chosen[::-1]


def pages_around(all_ids: list[int]) -> list[Page]:
    middle = all_ids[len(all_ids) // 2]
    return [
        Page(40),
        Page(3),
        Page(3, max_id=middle),
        Page(3, since_id=middle),
        Page(3, min_id=middle),
        Page(3, min_id=all_ids[0], max_id=middle),
        Page(3, max_id=all_ids[0]),
        Page(3, min_id=all_ids[-1]),
    ]


async def forget(square: Square, post: Post) -> None:
    await square.act(post.account_id, Action.DELETE_POST, lambda acting: delete_post(acting, post.id))


async def crowd(square: Square) -> tuple[list[int], list[Post]]:
    """Eight people and sixty posts: replies among them, of every visibility, some deleted."""
    chance = random.Random(7)
    people = [await square.person(f"person{number}") for number in range(8)]
    for followee in people[1:5]:
        await square.follow(people[0], followee)
    said: list[Post] = []
    public: list[Post] = []
    for number in range(60):
        author = chance.choice(people)
        visibility = chance.choice([*[Visibility.PUBLIC] * 5, *list(Visibility)])
        answering = chance.choice(public) if public and chance.random() < 0.4 else None
        post = await square.say(author, f"number {number}", visibility, answering=answering)
        said.append(post)
        if visibility is Visibility.PUBLIC:
            public.append(post)
    for post in chance.sample(said, 6):
        await forget(square, post)
        said.remove(post)
    return people, said


async def test_pages_are_what_their_definition_says(square: Square) -> None:
    people, said = await crowd(square)
    async with square.database.read() as read:
        home = in_home(people, said)
        for page in pages_around(home):
            assert ids(await merged.home(read, people[0], page)) == paged(home, page), page
        public = [p.id for p in said if p.visibility is Visibility.PUBLIC and p.in_reply_to_id is None]
        for page in pages_around(public):
            assert ids(await queries.public(read, page)) == paged(public, page), page
        own = [post for post in said if post.account_id == people[1]]
        for page in pages_around(ids(own)):
            assert ids(await queries.of_account(read, people[1], page)) == paged(ids(own), page), page
        no_replies = [p.id for p in own if p.in_reply_to_account_id in (None, people[1])]
        shown = await queries.of_account(read, people[1], Page(40), exclude_replies=True)
        assert ids(shown) == paged(no_replies, Page(40))


def in_home(people: list[int], said: list[Post]) -> list[int]:
    """The definition of the first one's home: themselves, and who they follow without replies to strangers."""
    circle = set(people[:5])
    return [
        post.id
        for post in said
        if post.account_id in circle
        and post.visibility is not Visibility.DIRECT
        and (post.account_id == people[0] or post.in_reply_to_account_id in {None, post.account_id, *circle})
    ]


async def test_a_page_of_one_busy_author_is_whole(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await square.follow(alice, bob)
    said = [(await square.say(bob, f"{number}")).id for number in range(30)]
    async with square.database.read() as read:
        assert ids(await merged.home(read, alice, Page(20))) == said[:9:-1]
        assert ids(await merged.home(read, alice, Page(20, min_id=said[2]))) == said[22:2:-1]


async def test_with_files_only(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")

    async def say(text: str, visibility: Visibility = Visibility.PUBLIC, count: int = 1) -> Post:
        files = tuple([await a_sound(square, alice, "a lark") for _ in range(count)])
        return await square.say(alice, text, visibility, media_ids=files)

    shown = [(await say(f"number {number} #lark")).id for number in range(4)]
    private = await say("for followers", Visibility.FOLLOWERS)
    await say("without #lark", count=0)
    silent = await say("not any more #lark")
    await forget(square, await say("deleted #lark"))
    said = Draft(source="not any more #lark", visibility=Visibility.PUBLIC)
    await square.act(alice, Action.POST, lambda acting: edit(acting, silent.id, said, {}))
    lark = queries.Tagged(["lark"])
    async with square.database.read() as read:
        for page in pages_around(shown):
            assert ids(await queries.public(read, page, only_media=True)) == paged(shown, page), page
            assert ids(await queries.public(read, page, only_media=True, viewer_id=bob)) == paged(shown, page), page
            assert ids(await queries.tagged(read, lark, page, only_media=True)) == paged(shown, page), page
        own = await queries.of_account(read, alice, Page(40), only_media=True)
        assert ids(own) == [private.id, *shown[::-1]]
    await square.block(alice, bob)
    async with square.database.read() as read:
        assert await queries.public(read, Page(40), only_media=True, viewer_id=bob) == []
