"""Offers: what a browser sends is answered, what is broken is refused in a sentence."""

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.engine import OfferRefused
from folkmoot.stage.offer import OFFER_CHARACTERS_MAX, AnswerFacts, read_offer, write_answer

PRINT = ":".join(["AB"] * 32)
AUDIO = f"""\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0
a=candidate:2 1 udp 2122260223 3f9c1d0e-1c2a-4d6e-9d84-1f5b8c9f0a11.local 50001 typ host
a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active
a=candidate:4 1 udp 2122260223 224.0.0.1 50000 typ host
a=ice-ufrag:aB3/
a=ice-pwd:0123456789abcdefghijklmn
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=sendrecv
a=msid:- 9a1
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=ssrc:77 cname:x
"""
VIDEO = """\
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=ice-ufrag:aB3/
a=ice-pwd:0123456789abcdefghijklmn
a=mid:1
a=sendonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
"""
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:2\na=sctp-port:5000\n"
HEAD = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE 0 1 2\n"
OFFER = HEAD + AUDIO
FACTS = AnswerFacts(
    ssrc=5,
    ice_name="abcd",
    ice_password="x" * 22,
    fingerprint_sha256=":".join(["CD"] * 32),
    candidates=["f 1 udp 1 127.0.0.1 4000 typ host"],
    address="127.0.0.1",
    port=4000,
)


def test_a_browsers_offer_is_read() -> None:
    offer = read_offer(OFFER.replace("\n", "\r\n"))
    assert (offer.payload_type, offer.level_extension_id, offer.direction) == (111, 1, "sendrecv")
    assert (offer.ice_name, offer.remote_is_dtls_client) == ("aB3/", False)
    # No names (the browser comes to us), no TCP, nobody else's multicast.
    assert [(one.ip, one.port) for one in offer.candidates] == [("192.0.2.7", 50000)]


def test_the_answer_takes_the_audio_and_declines_the_rest() -> None:
    offer = read_offer(HEAD + VIDEO + AUDIO + DATA)
    text = write_answer(offer, FACTS)
    answer = SessionDescription.parse(text)
    assert [(one.kind, one.port) for one in answer.media] == [
        ("video", 0),
        ("audio", 4000),
        ("application", 0),
    ]
    audio = answer.media[1]
    assert [codec.mimeType for codec in audio.rtp.codecs] == ["audio/opus"]
    assert audio.rtcp_mux
    assert audio.dtls is not None
    assert audio.dtls.role == "client"
    assert [one.semantic for one in answer.group] == ["BUNDLE"]
    assert answer.group[0].items == ["0"]
    assert all(len(line) > 1 and line[1] == "=" for line in text.strip().split("\r\n"))


@pytest.mark.parametrize(
    ("theirs", "ours"), [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly")]
)
def test_directions_are_answered(theirs: str, ours: str) -> None:
    offer = read_offer(OFFER.replace("a=sendrecv", f"a={theirs}"))
    assert f"a={ours}\r\n" in write_answer(offer, FACTS)


def test_a_client_that_starts_dtls_itself_is_waited_for() -> None:
    offer = read_offer(OFFER.replace("a=setup:actpass", "a=setup:active"))
    assert "a=setup:passive" in write_answer(offer, FACTS)


def test_transport_may_stand_in_the_first_of_the_bundle_only() -> None:
    bare = "\n".join(
        line for line in AUDIO.splitlines() if not line.startswith(("a=ice-", "a=fingerprint", "a=setup"))
    )
    first = VIDEO.replace("a=mid:1", f"a=mid:1\na=setup:actpass\na=fingerprint:sha-256 {'AB:' * 31}AB")
    head = HEAD.replace("BUNDLE 0 1 2", "BUNDLE 1 0")
    assert read_offer(head + first + bare + "\n").ice_name == "aB3/"


@pytest.mark.parametrize(
    ("sdp", "sentence"),
    [
        ("", "not a valid SDP"),
        ("hello", "not a valid SDP"),
        ("v=0\nm=audio", "not a valid SDP"),
        (HEAD, "no media sections"),
        (HEAD + VIDEO, "no audio"),
        (HEAD + DATA, "no audio"),
        (OFFER.replace("opus/48000/2", "speex/48000"), "no codec we have"),
        (OFFER.replace("a=sendrecv", "a=inactive"), "inactive"),
        (OFFER.replace("a=rtcp-mux\n", ""), "rtcp-mux"),
        (OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "DTLS-SRTP"),
        (OFFER.replace("a=ice-pwd:0123456789abcdefghijklmn", "a=ice-pwd:short"), "ICE"),
        (OFFER.replace("a=ice-ufrag:aB3/\n", ""), "ICE"),
        (OFFER.replace("a=setup:actpass\n", ""), "DTLS"),
        (OFFER.replace("fingerprint:sha-256", "fingerprint:md5"), "SHA-256"),
        (OFFER.replace("a=mid:0", "a=mid:0 0"), "not a valid SDP"),
        (OFFER.replace("a=extmap:1 ", "a=extmap:x "), "not a valid SDP"),
        (HEAD + AUDIO * 100, "characters"),
        (HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\n" * 100, "more than 10 media sections"),
        (OFFER + "a=x\n" * 600, "lines"),
        ("v=0" + "x" * OFFER_CHARACTERS_MAX, "characters"),
        (OFFER.replace("extmap:1 ", f"extmap:{'9' * 5000} "), "not a valid SDP"),
        ("v=0\n" + "\ud800", "not a valid SDP|no media"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(sdp: str, sentence: str) -> None:
    with pytest.raises(OfferRefused, match=sentence) as refused:
        read_offer(sdp)
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 200


def test_the_worst_offer_that_is_read_is_refused() -> None:
    lines = "".join(f"a=rtpmap:{n} x/1\n" for n in range(220)) + "a=rtcp-fb:* x\n" * 230
    with pytest.raises(OfferRefused):
        read_offer(HEAD + AUDIO.replace("opus", "opux") + lines)


@given(st.data())
def test_a_mangled_offer_is_read_or_refused(data: st.DataObject) -> None:
    lines = (HEAD + AUDIO + VIDEO + DATA).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        action = data.draw(st.sampled_from(["drop", "double", "cut", "replace"]))
        if action == "drop":
            del lines[at]
        elif action == "double":
            lines.insert(at, lines[at])
        elif action == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines[at] = lines[at][:2] + data.draw(st.text(max_size=30))
    sdp = "\n".join(lines)
    try:
        offer = read_offer(sdp)
    except OfferRefused:
        return
    SessionDescription.parse(write_answer(offer, FACTS))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(OfferRefused):
        read_offer("v=0\n" + text)
