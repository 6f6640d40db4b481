"""Sends icecast2 a tape's sound as it is written: `python -m folkmoot.bench.peers_source TAPE PORT PASSWORD`."""

import base64
import socket
import sys
import time
from pathlib import Path

from folkmoot.audience.live import OGG, open_tape

CONNECTS_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02
PARTS_MAX = 20


def main(tape: Path, port: int, password: str) -> None:
    """Until it is killed."""
    follower = open_tape(tape)
    assert follower is not None, f"there is no tape in {tape}"
    connection = _connected(port)
    credential = base64.b64encode(f"source:{password}".encode()).decode()
    head = f"PUT /live.ogg HTTP/1.0\r\nAuthorization: Basic {credential}\r\nContent-Type: application/ogg\r\n\r\n"
    connection.sendall(head.encode())
    answer = connection.recv(4096)
    assert b" 200 " in answer, answer
    connection.sendall(follower.init(OGG) or b"")
    print("ready", flush=True)
    while True:
        follower.refresh()
        connection.sendall(b"".join(follower.take(OGG, PARTS_MAX)))
        time.sleep(LOOK_EVERY_S)


def _connected(port: int) -> socket.socket:
    give_up_s = time.monotonic() + CONNECTS_WITHIN_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
