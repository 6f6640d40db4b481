"""A WHIP client on GStreamer's own WebRTC stack, for Debian's Python: as OBS does, it offers sound and a picture.

    /usr/bin/python3 gstreamer_whip.py FILE.wav ENDPOINT TOKEN

Says "published" once the answer is taken, "connected" when the peers are, and hangs up when its input closes.
"""

import sys
import threading
import urllib.request
from typing import Any
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle
filesrc location={file} ! wavparse ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 !
    identity sync=true ! opusenc bitrate=64000 ! rtpopuspay pt=96 !
    application/x-rtp,media=audio,encoding-name=OPUS,payload=96 ! peer.
videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=5/1 ! vp8enc deadline=1 ! rtpvp8pay pt=97 !
    application/x-rtp,media=video,encoding-name=VP8,payload=97 ! peer.
"""


class Publisher:
    def __init__(self, file: str, endpoint: str, token: str) -> None:
        self.endpoint, self.token = endpoint, token
        self.location: str | None = None
        self.pipeline = Gst.parse_launch(PIPELINE.format(file=file))
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self.offer)
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        self.peer.connect("notify::connection-state", self.changed)

    def offer(self, _peer: Any) -> None:
        for number in range(2):
            self.peer.emit("get-transceiver", number).set_property(
                "direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            )
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # what it holds is freed with it
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def gathered(self, _peer: Any, _property: Any) -> None:
        if self.peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            threading.Thread(target=self.publish, daemon=True).start()

    def request(self, method: str, url: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60)

    def publish(self) -> None:
        offer = self.peer.get_property("local-description")
        with self.request("POST", self.endpoint, offer.sdp.as_text().encode()) as answer:
            self.location = urljoin(self.endpoint, answer.headers["Location"])
            text = answer.read()
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text, sdp)
        taken = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", taken, Gst.Promise.new())
        print("published", flush=True)

    def changed(self, _peer: Any, _property: Any) -> None:
        if self.peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            print("connected", flush=True)

    def run(self) -> None:
        loop = GLib.MainLoop()

        def end() -> None:
            sys.stdin.read()
            if self.location is not None:
                self.request("DELETE", self.location).close()
            loop.quit()

        threading.Thread(target=end, daemon=True).start()
        self.pipeline.set_state(Gst.State.PLAYING)
        loop.run()
        self.pipeline.set_state(Gst.State.NULL)


Gst.init(None)
Publisher(*sys.argv[1:]).run()
