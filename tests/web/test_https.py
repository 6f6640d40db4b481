"""Chromium over HTTPS, with a certificate of an authority of our own: it listens by MSE, and speaks."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Playwright
from tests.serve.moot import Moot
from tests.stage.peers import Client, until
from tests.support.certificates import Authority
from tests.support.server import running_server
from tests.web.browser import SAID_HZ, chromium, microphone, page_of, spoken_tone

pytestmark = pytest.mark.slow
AUDIO = "document.querySelector('audio[data-sound=player]')"


def trusting(chain: Path) -> str:
    """Chromium's argument for a certificate that it takes whoever signed it, and no other."""
    certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "--ignore-certificate-errors-spki-list=" + base64.b64encode(hashlib.sha256(key).digest()).decode()


async def test_a_browser_listens_and_speaks_over_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playwright: Playwright
) -> None:
    authority = Authority(tmp_path)
    chain, key = authority.issue()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    arguments = [trusting(chain), *microphone(spoken_tone(tmp_path / "voice.wav"))]
    with running_server(tmp_path / "data", tls_certificate=str(chain), tls_key=str(key)) as server:
        moot = Moot(server)
        host, guest = await moot.person("hana"), await moot.person("rosa")
        space = await host.open_space("Over HTTPS")
        async with chromium(playwright, *arguments) as browser:
            _, page = await page_of(browser, server, host)
            await page.goto(f"/spaces/{space['id']}")
            assert await page.evaluate("isSecureContext")
            await page.get_by_role("button", name="Take your seat").click()
            await page.get_by_role("button", name="I agree, open my microphone").click()
            await guest.tell(space, "ask", recording_consent=True)
            await host.tell(space, "let_up", account=guest.id)
            voice: Client = await guest.speak(space, 440)
            await until(lambda: voice.hears(SAID_HZ))

            _, listener = await page_of(browser, server, None)
            asked: list[str] = []
            listener.on("request", lambda request: asked.append(request.url))
            await listener.goto(f"/spaces/{space['id']}")
            await listener.get_by_role("button", name="Listen", exact=True).click()
            await listener.wait_for_function(f"{AUDIO} && !{AUDIO}.paused && {AUDIO}.currentTime > 1")
            assert any("/listen?" in url for url in asked), "by MSE, whose records a worker makes"
            assert all(url.startswith(("https:", "blob:", "data:")) for url in asked)
        await moot.close()
