"""Who finds what, on both databases."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, text, update
from tests.posts.files.test_actions import keep_sound
from tests.support.clock import FakeClock
from tests.support.square import Square

from folkmoot.accounts.model import Page
from folkmoot.gate import Action
from folkmoot.posts import edits
from folkmoot.posts.actions import delete_post
from folkmoot.posts.model import Draft, PollDraft, Post, Visibility
from folkmoot.search import queries
from folkmoot.search.parsing import parsed
from folkmoot.storage.database import Write
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.posts import bookmarks, favourites
from folkmoot.storage.tables.search import post_words

DAY_MS = 86_400_000


async def found(square: Square, viewer_id: int, typed: str, **options: Any) -> list[int]:
    async with square.database.read() as read:
        page = options.pop("page", Page(40))
        return [post.id for post in await queries.statuses(read, viewer_id, parsed(typed), page, **options)]


async def be_found(square: Square, *account_ids: int) -> None:
    async def work(tx: Write) -> None:
        agreed = update(accounts).where(accounts.c.id.in_(account_ids)).values(indexable=True)
        await tx.connection.execute(agreed)

    await square.database.write(work)


def ids(posts: Sequence[Post]) -> list[int]:
    return [post.id for post in posts]


async def test_words_of_any_script_are_found(square: Square) -> None:
    alice = await square.person("alice")
    written = {
        "de": await square.say(alice, "Im Café „Zur Straße“ gab es Tee."),
        "ja": await square.say(alice, "東京タワーで猫を見た。Pythonは楽しい"),
        "zh": await square.say(alice, "今天天氣很好"),
        "ko": await square.say(alice, "한국어를 배워요"),
        "hi": await square.say(alice, "हिन्दी में लिखा"),
        "ar": await square.say(alice, "مرحبا بالعالم"),
        "th": await square.say(alice, "สวัสดีชาวโลก"),
        "tag": await square.say(alice, "look at #GreenTea and https://tea.example/leaves"),
    }
    for typed, language in {
        "cafe": "de", "CAFÉ": "de", "strasse": "de", '"zur straße"': "de", "東京": "ja", "タワー": "ja", "猫": "ja",
        "python": "ja", "京タ": "ja", "天氣": "zh", "好": "zh", "한국": "ko", "हिन्दी": "hi", "العالم": "",
        "بالعالم": "ar", "ชาวโลก": "th", "#greentea": "tag", "tea.example": "tag", '"tee gab"': "", "京東": "",
        "ｐｙｔｈｏｎ": "ja",
    }.items():  # fmt: skip
        assert await found(square, alice, typed) == ([written[language].id] if language else []), typed


async def test_filters(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await be_found(square, alice, bob)
    plain = await square.say(alice, "tea one", language="de-AT")
    asked = await square.say(
        bob, "tea two", poll=PollDraft(options=("oolong", "assam"), lasts_s=600), language="cy"
    )
    reply = await square.say(bob, "tea three https://a.example/", answering=plain)
    hidden = await square.say(alice, "four", spoiler_text="tea inside")
    everything = ids([hidden, reply, asked, plain])
    assert await found(square, alice, "tea") == everything
    for typed, wanted in cast(dict[str, list[Post | int]], {
        "tea from:me": [hidden, plain], "from:bob": [reply, asked], "from:@BOB": [reply, asked], "from:carol": [],
        "tea -from:bob": [hidden, plain], "has:poll": [asked], "oolong": [asked], "tea -has:poll from:bob": [reply],
        "has:link": [reply], "is:reply": [reply], "is:sensitive": [hidden], "language:de": [plain],
        "language:cy": [asked], "tea -two -three": [hidden, plain], "from:alice from:bob": [],
        "in:library tea": [hidden, plain], "before:2000-01-01 tea": [], "after:2000-01-01 tea": everything,
        "during:2001": [], "-during:2001 tea": everything, "-tea": [], "after:6500 tea": [],
    }).items():  # fmt: skip
        expected = [one.id if isinstance(one, Post) else one for one in wanted]
        assert await found(square, alice, typed) == expected, typed
    assert await found(square, alice, "tea", account_id=bob) == ids([reply, asked])
    assert await found(square, alice, "tea", page=Page(2)) == everything[:2]
    assert await found(square, alice, "tea", page=Page(2), offset=2) == everything[2:]
    assert await found(square, alice, "tea", page=Page(2, max_id=reply.id)) == everything[2:]
    assert await found(square, alice, "tea", page=Page(1, min_id=plain.id)) == [asked.id]


async def test_files_times_and_authors_are_found(square: Square, clock: FakeClock) -> None:
    """On the 15th, 16th and 17th of January 2027, at 8 o'clock."""
    alice, bob = await square.person("alice"), await square.person("bob")
    await be_found(square, alice, bob)
    await keep_sound(square, alice, 8)
    first = (await square.say(alice, "tea heard", media_ids=(8,))).id
    clock.advance_ms(DAY_MS)
    second = (await square.say(bob, "tea asked", poll=PollDraft(options=("oolong", "assam"), lasts_s=600))).id
    clock.advance_ms(DAY_MS)
    third = (await square.say(alice, "tea said")).id
    for typed, wanted in {
        "has:media": [first], "tea has:audio": [first], "has:image": [], "has:poll": [second],
        "tea -has:media": [third, second], "has:media has:poll": [],
        "tea before:2027-01-16": [first], "before:2027-01-17": [second, first], "tea before:2027-01-15": [],
        "tea after:2027-01-16": [third], "after:2027-01-15": [third, second], "tea after:2027-01-17": [],
        "tea after:2027-01-15 before:2027-01-17": [second], "during:2027-01-16": [second],
        "tea -during:2027-01-16": [third, first], "tea during:2027-01": [third, second, first],
        "from:alice": [third, first], "from:alice has:media": [first], "from:bob before:2027-01-17": [second],
        "from:@alice after:2027-01-16 tea": [third], "tea -from:alice": [second],
    }.items():  # fmt: skip
        for viewer in (alice, bob):
            assert await found(square, viewer, typed) == wanted, (typed, viewer)
    bare = Draft(source="tea heard no more")
    await square.act(alice, Action.POST, lambda acting: edits.edit(acting, first, bare, {}))
    assert await found(square, bob, "has:media") == []


async def test_one_finds_what_is_ones_own_to_find(square: Square) -> None:
    alice, bob, carol = [await square.person(name) for name in ("alice", "bob", "carol")]
    private = await square.say(alice, "tea for followers", Visibility.FOLLOWERS)
    to_bob = await square.say(alice, "tea for @bob", Visibility.DIRECT)
    public = await square.say(alice, "tea for all")
    assert await found(square, alice, "tea") == ids([public, to_bob, private])
    assert await found(square, bob, "tea") == [to_bob.id]
    assert await found(square, carol, "tea") == []
    await be_found(square, alice)
    assert await found(square, carol, "tea") == [public.id]
    await square.block(carol, alice)
    assert await found(square, carol, "tea") == []


async def test_the_index_is_in_step_with_edits_and_deletions(square: Square) -> None:
    alice = await square.person("alice")
    post = await square.say(alice, "coffe, a lot of it")
    await square.act(
        alice, Action.POST, lambda acting: edits.edit(acting, post.id, Draft(source="coffee, all of it"), {})
    )
    assert await found(square, alice, "coffe") == []
    assert await found(square, alice, "coffee") == [post.id]
    await square.act(alice, Action.DELETE_POST, lambda acting: delete_post(acting, post.id))
    assert await found(square, alice, "coffee") == []
    async with square.database.read() as read:
        assert (await read.connection.execute(select(post_words.c.post_id))).all() == []


async def test_a_deleted_account_leaves_no_words(square: Square) -> None:
    alice = await square.person("alice")
    await square.say(alice, "unforgettable")

    async def delete(tx: Write) -> None:
        await tx.connection.execute(accounts.delete().where(accounts.c.id == alice))

    await square.database.write(delete)
    async with square.database.read() as read:
        of_index = "post_words_index WHERE post_words_index MATCH 'unforgettable'"
        left = text(f"SELECT count(*) FROM {of_index if read.is_sqlite else 'post_words'}")
        assert (await read.connection.execute(left)).scalar_one() == 0


async def test_tags_by_their_beginning(square: Square) -> None:
    alice = await square.person("alice")
    for said in ("#tea #teapot", "#tea", "#Teatime", "#coffee", "#茶道"):
        await square.say(alice, said)
    await square.say(alice, "#teasecret", Visibility.UNLISTED)
    async with square.database.read() as read:
        assert [one.name for one in await queries.tags(read, "#TEA")] == ["tea", "teapot", "teatime"]
        assert [one.name for one in await queries.tags(read, "茶")] == ["茶道"]
        assert await queries.tags(read, " ") == []


async def test_of_a_tag_its_newest_people_are_looked_at_each_once(square: Square) -> None:
    people = [await square.person(f"person{number}") for number in range(queries.PEOPLE_OF_A_TAG_MAX + 1)]
    for person in (*people, people[-1]):
        await square.say(person, "#tea")
    async with square.database.read() as read:
        found = await queries.tags(read, "te")
    assert {one.account_id for one in found} == set(people[1:])
    assert len(found) == queries.PEOPLE_OF_A_TAG_MAX


async def test_ones_own_are_not_lost_among_everybodys(square: Square, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CANDIDATES_MAX", 3)
    alice, bob = await square.person("alice"), await square.person("bob")
    own = [await square.say(alice, f"tea {number}") for number in range(2)]
    marked = [await square.say(bob, f"tea of bob {number}") for number in range(2)]
    await square.say(alice, "coffee")
    for number in range(5):
        await square.say(bob, f"more tea {number}")

    async def mark(tx: Write) -> None:
        for kept, post in zip((favourites, bookmarks), marked, strict=True):
            values = {"id": tx.new_id(), "account_id": alice, "post_id": post.id}
            await tx.connection.execute(insert(kept).values(**values))

    await square.database.write(mark)
    library = ids([*marked[::-1], *own[::-1]])
    assert await found(square, alice, "tea in:library") == library
    assert await found(square, alice, "tea") == library
    assert await found(square, alice, "tea", page=Page(1), offset=1) == library[1:2]
    assert await found(square, alice, "tea -bob") == ids(own[::-1])


async def test_what_names_one_is_not_lost_among_everybodys(square: Square, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CANDIDATES_MAX", 2)
    alice, bob = await square.person("alice"), await square.person("bob")
    await be_found(square, bob)
    named = [await square.say(bob, f"@alice tea {number}") for number in range(2)]
    edited = await square.say(bob, "tea for nobody")
    await square.act(
        bob, Action.POST, lambda acting: edits.edit(acting, edited.id, Draft(source="@alice tea for you"), {})
    )
    for number in range(4):
        await square.say(bob, f"@bob tea {number}")
    expected = [edited.id, named[1].id]  # as many as are looked at of those that name her
    assert await found(square, alice, "tea in:library") == expected
    assert (await found(square, alice, "tea"))[-2:] == expected
    assert await found(square, alice, "tea in:library", page=Page(5, max_id=expected[-1])) == [named[0].id]


async def test_pages_by_offset_go_on_behind_the_newest(square: Square, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CANDIDATES_MAX", 2)
    alice = await square.person("alice")
    said = ids([await square.say(alice, f"tea {number}") for number in range(7)])[::-1]
    for typed in ("tea", "tea from:me", "tea in:library"):
        pages = [await found(square, alice, typed, page=Page(2), offset=offset) for offset in (0, 2, 4, 6)]
        assert pages == [said[:2], said[2:4], said[4:6], said[6:]], typed


async def test_what_was_marked_long_ago_is_found_among_everybodys(
    square: Square, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MARKED_MAX", 1)
    alice, bob = await square.person("alice"), await square.person("bob")
    marked = [await square.say(bob, f"tea {number}") for number in range(3)]

    async def mark(tx: Write) -> None:
        for post in marked:
            values = {"id": tx.new_id(), "account_id": alice, "post_id": post.id}
            await tx.connection.execute(insert(bookmarks).values(**values))

    await square.database.write(mark)
    for typed in ("tea", "tea in:library"):
        assert await found(square, alice, typed) == ids(marked[::-1])
    await be_found(square, await square.person("carol"))
    assert await found(square, alice, "tea") == ids(marked[::-1])


@pytest.mark.parametrize("few", [2, 0])
async def test_of_few_who_agreed_to_be_found_everything_is(
    square: Square, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(queries, "CANDIDATES_MAX", 2)
    monkeypatch.setattr(queries, "FINDABLE_FEW", few)
    alice, bob, carol, dora = [await square.person(name) for name in ("alice", "bob", "carol", "dora")]
    said = [await square.say(bob, "tea of bob"), await square.say(carol, "tea of carol")]
    for number in range(3):
        await square.say(dora, f"more tea {number}")
    assert await found(square, alice, "tea") == []
    await be_found(square, bob, carol)
    assert await found(square, alice, "tea") == (ids(said[::-1]) if few else [])
    assert await found(square, alice, "tea -carol") == (ids(said[:1]) if few else [])
    assert await found(square, alice, "tea from:dora") == []
    assert await found(square, alice, "tea from:carol") == ids(said[1:])
