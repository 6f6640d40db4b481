from tests.audience.house import FakeSockets

from folkmoot.audience.groups import HUNG_UP, SKIPS_MAX, SLOW, Feed, Group


def new_group() -> Group:
    return Group(Feed(b"init", 20), chunked=True, slot=0, due_ms=0)


def test_a_feed_keeps_the_newest_parts_and_their_numbers() -> None:
    feed = Feed(b"init", 3)
    for number in range(5):
        feed.append(b"%d" % number)
    assert (feed.start, feed.end) == (2, 5)
    assert feed.between(3, 5) == b"34"
    assert feed.between(0, 4) == b"23", "what is gone is left out"
    assert feed.between(-1, 0) == b""
    assert feed.framed(2, 4, chunked=True) == b"2\r\n23\r\n"
    assert feed.framed(2, 4, chunked=False) == b"23"
    assert feed.framed(5, 5, chunked=True) == b"", "an empty chunk would end the body"


def test_a_full_socket_skips_whole_chunks_and_goes_on() -> None:
    group, sockets = new_group(), FakeSockets()
    assert group.add(1, b"head", sockets)
    sockets.room[1] = 0
    assert group.deliver(b"aaaa", sockets).skipped == 1
    del sockets.room[1]
    assert group.deliver(b"bbbb", sockets).skipped == 0
    assert group.deliver(b"cccc", sockets).skipped == 0
    assert sockets.taken[1] == b"headbbbbcccc"
    assert group.behind == {}


def test_a_chunk_that_went_out_in_part_is_completed_before_anything_else() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    sockets.room[1] = 2
    assert group.deliver(b"aaaa", sockets).skipped == 0
    assert group.deliver(b"bbbb", sockets).skipped == 1
    sockets.room[1] = 3
    assert group.deliver(b"cccc", sockets).skipped == 0, "one byte of the chunk fitted: it will be completed"
    del sockets.room[1]
    group.deliver(b"dddd", sockets)
    assert sockets.taken[1] == b"headaaaaccccdddd"


def test_a_head_that_went_out_in_part_is_completed() -> None:
    group, sockets = new_group(), FakeSockets()
    sockets.room[1] = 1
    assert group.add(1, b"head", sockets)
    del sockets.room[1]
    group.deliver(b"aaaa", sockets)
    assert sockets.taken[1] == b"headaaaa"


def test_who_never_reads_is_closed_after_eight_skips_and_nobody_else_notices() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    group.add(2, b"head", sockets)
    sockets.room[1] = 0
    closed = [group.deliver(b"%d" % number, sockets).closed for number in range(SKIPS_MAX + 1)]
    assert closed == [[]] * (SKIPS_MAX - 1) + [[(1, SLOW)], []]
    assert sockets.taken[2] == b"head" + b"".join(b"%d" % number for number in range(SKIPS_MAX + 1))
    assert len(group) == 1


def test_skips_in_a_row_count_not_all_there_ever_were() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    for _ in range(SKIPS_MAX * 3):
        sockets.room[1] = 0
        assert not group.deliver(b"aaaa", sockets).closed
        del sockets.room[1]
        assert not group.deliver(b"bbbb", sockets).closed


def test_broken_sockets_leave_at_once() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    group.add(2, b"head", sockets)
    sockets.room[2] = 0
    group.deliver(b"aaaa", sockets)
    sockets.broken = {1, 2, 3}
    assert sorted(group.deliver(b"bbbb", sockets).closed) == [(1, HUNG_UP), (2, HUNG_UP)]
    assert not group.add(3, b"head", sockets)
    assert len(group) == 0


def test_who_was_behind_and_has_room_again_gets_the_rest_and_the_end() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    group.add(2, b"head", sockets)
    sockets.room[1], sockets.room[2] = 1, 0
    group.deliver(b"aaaa", sockets)
    del sockets.room[1], sockets.room[2]
    group.finish(b"bbbb", sockets)
    assert sockets.taken[1] == b"headaaaabbbb0\r\n\r\n"
    assert sockets.taken[2] == b"headbbbb0\r\n\r\n", "what it skipped is not made up for"


def test_who_takes_nothing_is_no_write() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    sockets.room[1] = 0
    written = [group.deliver(b"aaaa", sockets).written for _ in range(SKIPS_MAX)]
    assert written == [0] * SKIPS_MAX
    assert len(group) == 0


def test_the_body_ends_for_those_who_have_everything() -> None:
    group, sockets = new_group(), FakeSockets()
    group.add(1, b"head", sockets)
    group.add(2, b"head", sockets)
    sockets.room[2] = 1
    group.add(3, b"head", sockets)
    group.deliver(b"aaaa", sockets)
    sockets.room[3] = 4
    assert sorted(group.finish(b"", sockets)) == [2, 3]
    assert sockets.taken[1] == b"headaaaa0\r\n\r\n"
    assert sockets.taken[2] == b"heada"
    assert sockets.taken[3] == b"headaaaa0\r\n\r"


def test_where_the_data_does_not_say_that_it_is_the_last_a_fin_does() -> None:
    sockets = FakeSockets()
    for chunked in (True, False):
        group = Group(Feed(b"init", 20), chunked=chunked, slot=0, due_ms=0)
        group.add(1 + chunked, b"head", sockets)
        group.finish(b"last", sockets)
    assert sockets.fins == {1}
