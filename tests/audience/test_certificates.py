"""Certificates: what can't be used is said in a sentence, and what is renewed is read again."""

import datetime
import logging
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.certificates import DAY, Authority
from tests.support.files import no_file_left

from folkmoot.audience.certificates import Certificate, CertificateError
from folkmoot.audience.tls import keep_secret

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def make(chain: Path, key: Path) -> Certificate:
    return Certificate(chain, key, keep_secret)


def test_what_cant_be_used_is_said(authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.issue("one")
    _, another = authority.issue("another")
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"no certificate")
    locked = tmp_path / "locked"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    for files, words in {
        (tmp_path / "missing", key): "missing can't be read (No such file or directory)",
        (chain, tmp_path / "missing"): "missing can't be read (No such file or directory)",
        (garbage, key): "garbage holds no certificate in PEM form",
        (chain, garbage): "garbage holds no key of the certificate in",
        (chain, another): "another.key holds no key of the certificate in",
        (chain, locked): "locked has a password",
    }.items():
        with pytest.raises(CertificateError) as refused:
            make(*files)
        assert words in str(refused.value)


def test_what_is_renewed_is_read_again_once_both_fit(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    chain, key = authority.issue("old", days=3)
    certificate = make(chain, key)
    before = certificate.context
    certificate.renew(NOW)
    assert certificate.context is before
    new_chain, new_key = authority.issue("new", days=60)
    shutil.copy(new_chain, chain)
    with caplog.at_level(logging.WARNING):
        certificate.renew(NOW)
        certificate.renew(NOW)
    assert certificate.context is before, "the key is still the old one"
    assert caplog.text.count("the certificate in use stays") == 1
    shutil.copy(new_key, key)
    certificate.renew(NOW)
    assert certificate.context is not before
    assert certificate.expires > NOW + 50 * DAY


def test_what_is_renewed_while_no_file_is_free_is_read_later(authority: Authority) -> None:
    chain, key = authority.issue("old", days=3)
    certificate = make(chain, key)
    for new, file in zip(authority.issue("new", days=60), (chain, key), strict=True):
        shutil.copy(new, file)
    with no_file_left():
        certificate.renew(NOW)
    assert certificate.expires < NOW + 50 * DAY
    certificate.renew(NOW)
    assert certificate.expires > NOW + 50 * DAY


def test_a_link_that_points_elsewhere_is_a_change(authority: Authority, tmp_path: Path) -> None:
    pairs = [authority.issue("first", days=20), authority.issue("second", days=40)]
    links = tmp_path / "chain", tmp_path / "key"
    for link, file in zip(links, pairs[0], strict=True):
        link.symlink_to(file)
    certificate = make(*links)
    for link, file in zip(links, pairs[1], strict=True):
        link.unlink()
        link.symlink_to(file)
    certificate.renew(NOW)
    assert certificate.expires > NOW + 30 * DAY


def test_files_that_are_gone_change_nothing(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    chain, key = authority.issue()
    certificate = make(chain, key)
    before = certificate.context
    chain.unlink()
    certificate.renew(NOW)
    assert certificate.context is before
    assert "can't be read" in caplog.text


@pytest.mark.parametrize(("in_days", "words"), [(0, ""), (10, "expires in 10 days"), (21, "has expired")])
def test_the_end_is_announced(
    authority: Authority, caplog: pytest.LogCaptureFixture, in_days: int, words: str
) -> None:
    certificate = make(*authority.issue(days=20))
    certificate.warn(certificate.expires - (20 - in_days) * DAY - datetime.timedelta(seconds=5))
    assert (words in caplog.text) if words else not caplog.text
