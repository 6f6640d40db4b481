"""The load generator takes aiortc's sending and receiving over: its private names must still be there."""

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtcdtlstransport import RTCDtlsTransport

from folkmoot.bench.speech import packets, speech


async def test_the_private_names_are_still_there() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("audio").sender
    assert isinstance(sender._ssrc, int)
    assert isinstance(sender.transport, RTCDtlsTransport)
    for name in ("_rx_srtp", "_handle_rtp_data", "_send_rtp"):
        assert hasattr(sender.transport, name)
    await connection.close()


def test_speech_is_loud_enough_and_encoded_in_frames() -> None:
    said = speech(0.1)
    assert 3000 < abs(said.astype(int)).max() <= 3277
    frames = packets(said, expected_loss_percent=5)
    assert len(frames) == len(said) // 960
    assert sum(frame.level < 60 for frame in frames) > len(frames) / 2
