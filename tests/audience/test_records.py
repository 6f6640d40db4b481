"""Records against the vectors of RFC 8448 and against OpenSSL as the peer."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from tests.support.certificates import Authority

from folkmoot.audience.records import (
    PLAINTEXT_BYTES_MAX,
    RECORDS_MAX,
    SUITES,
    Plaintext,
    Sealer,
    Sealing,
    Worn,
    count_records,
    sealing,
)

# RFC 8448, 3: "Simple 1-RTT Handshake". The server's ticket was record 0.
SECRET = bytes.fromhex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")
KEY = bytes.fromhex("9f02283b6c9c07efc26bb9f2ac92e356")
IV = bytes.fromhex("cf782b88dd83549aadf1e984")
DATA = bytes.fromhex(
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fc"
    "c49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"
)
CLOSE = bytes.fromhex("1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9")


def sealed(sealer: Sealer, plaintext: Plaintext) -> bytes:
    buffer = bytearray(plaintext.sealed_bytes)
    sealer.seal(plaintext, plaintext.slices(memoryview(buffer)))
    return bytes(buffer)


def test_the_vectors_of_rfc_8448() -> None:
    given_away = sealing("TLS_AES_128_GCM_SHA256", SECRET, 1)
    assert (given_away.key, given_away.iv) == (KEY, IV)
    sealer = Sealer(given_away)
    assert sealed(sealer, Plaintext(bytes(range(50)))) == DATA
    assert sealed(sealer, Plaintext(b"", closing=True)) == CLOSE


class Peer:
    """A client of OpenSSL's that has shaken hands with a server of OpenSSL's, whose secret is known."""

    def __init__(self, authority: Authority, files: tuple[str, str], suite: str) -> None:
        self.secret = b""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate_chain_file(files[0])
        context.use_privatekey_file(files[1])
        context.set_tls13_ciphersuites(suite.encode())
        context.set_keylog_callback(self._note)
        self.server = SSL.Connection(context, None)
        self.server.set_accept_state()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._client = authority.client().wrap_bio(self._in, self._out, server_hostname="localhost")
        self._shake()

    def _note(self, _: object, line: bytes) -> None:
        if line.startswith(b"SERVER_TRAFFIC_SECRET_0 "):
            self.secret = bytes.fromhex(line.split()[2].decode())

    def _shake(self) -> None:
        with pytest.raises(ssl.SSLWantReadError):
            self._client.do_handshake()
        self.server.bio_write(self._out.read())
        with pytest.raises(SSL.WantReadError):
            self.server.do_handshake()
        self._in.write(self.server.bio_read(65_536))
        self._client.do_handshake()
        self.server.bio_write(self._out.read())
        self.server.do_handshake()
        tickets = self.server.bio_read(65_536)
        self.sealing = sealing(str(self.server.get_cipher_name()), self.secret, count_records(tickets))
        self._in.write(tickets)

    def reads(self, records: bytes) -> bytes:
        """What OpenSSL makes of records; b"" after close_notify."""
        self._in.write(records)
        data = b""
        while True:
            try:
                more = self._client.read(65_536)
            except ssl.SSLWantReadError:
                return data
            except ssl.SSLZeroReturnError:
                return b""
            if not more:
                return b""
            data += more


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("suite", SUITES)
def test_openssl_reads_every_suite(authority: Authority, suite: str) -> None:
    chain, key = authority.issue(suite)
    peer = Peer(authority, (str(chain), str(key)), suite)
    sealer = Sealer(peer.sealing)
    long = bytes(range(256)) * 300  # five records
    for data in (b"x", b"y" * PLAINTEXT_BYTES_MAX, long, b"z"):
        assert peer.reads(sealed(sealer, Plaintext(data))) == data
    assert peer.reads(sealed(Sealer(sealer.sealing()), Plaintext(b"passed on"))) == b"passed on"
    last = sealed(Sealer(Sealing(suite, peer.sealing.key, peer.sealing.iv, sealer.number + 1)), Plaintext(b"e"))
    assert peer.reads(last) == b"e"


def test_openssl_sees_the_end(authority: Authority) -> None:
    chain, key = authority.issue("end")
    peer = Peer(authority, (str(chain), str(key)), next(iter(SUITES)))
    assert peer.reads(sealed(Sealer(peer.sealing), Plaintext(b"", closing=True))) == b""


@given(st.lists(st.binary(min_size=1, max_size=3 * PLAINTEXT_BYTES_MAX), max_size=6), st.sampled_from(list(SUITES)))
def test_whatever_is_sealed_can_be_opened_in_order(pieces: list[bytes], suite: str) -> None:
    key, iv = bytes(SUITES[suite].key_bytes), bytes(range(12))
    sealer = Sealer(Sealing(suite, key, iv, 5))
    cipher, number = SUITES[suite].cipher(key), 5
    for piece in pieces:
        stream, opened = sealed(sealer, Plaintext(piece)), b""
        assert count_records(stream) == -(-len(piece) // PLAINTEXT_BYTES_MAX)
        while stream:
            end = 5 + int.from_bytes(stream[3:5], "big")
            nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
            inner = cipher.decrypt(nonce, stream[5:end], stream[:5])
            assert inner[-1] == 23
            opened += inner[:-1]
            stream, number = stream[end:], number + 1
        assert opened == piece
    assert sealer.number == number


def test_a_key_wears_out() -> None:
    sealer = Sealer(Sealing("TLS_AES_128_GCM_SHA256", KEY, IV, RECORDS_MAX - 1))
    sealed(sealer, Plaintext(b"the last"))
    with pytest.raises(Worn):
        sealed(sealer, Plaintext(b"one more"))


def test_keys_are_never_shown_and_are_wiped() -> None:
    given_away = sealing("TLS_AES_128_GCM_SHA256", SECRET, 1)
    assert "9f02" not in repr(given_away)
    assert repr(KEY)[2:-1] not in repr([given_away])
    sealer = Sealer(given_away)
    sealer.wipe()
    assert sealer.sealing().key == bytes(16)
