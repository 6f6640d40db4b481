"""Every endpoint of the API, asked what schemathesis makes up from the OpenAPI document that the server hands out:
as it should be, and as it should not. Whatever comes in, nothing breaks, every error says a sentence in Mastodon's
shape, and what is answered is what the document says.

Half of the requests go to what there is (sweep.py makes one of everything): made-up ids would only ever meet 404.
The requests are the same at each run; one that fails is short anyway, so it isn't shrunk.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from litestar import Litestar
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from tests.support.people import People
from tests.support.web import BASE_URL
from tests.surfaces.asking import Answer
from tests.surfaces.staging import staged
from tests.surfaces.sweep import Scene
from tests.surfaces.swept import ADDRESSES

from folkmoot.app import openapi_document
from folkmoot.surfaces.mastodon.streams.sockets import SOCKET
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.listen import STREAMS

# "Not yet", or not here: the recording is being closed, nothing was recorded so far; no mail is sent in tests.
NO_FAULTS = frozenset({"not_closed", "nothing_yet", "not_yet_taken_out", "no_mail"})
EXAMPLES = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
FEWER = settings(EXAMPLES, max_examples=2)
# What only reads first, what deletes last.
METHODS = ("get", "post", "put", "patch", "delete")
# People look at these: an error is a page, too.
PAGES = frozenset({
    "GET /oauth/authorize", "POST /oauth/authorize", "POST /oauth/authorize/sign-in",
    "POST /oauth/authorize/second-factor", "GET /embed/{post_id}",
})  # fmt: skip
# No routes: whoever listens is answered before the application, and so is a WebSocket (asking.py).
AT_THE_DOOR = frozenset({SOCKET.name, *(surface.name for surface in STREAMS)})
Operation = APIOperation[Any, Any, Any, Any]
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi_document())


class Error(msgspec.Struct):
    """Mastodon's shape of it; OAuth's (RFC 6749, 5.2) has no code of ours."""

    error: str
    code: str = ""


class Sent(msgspec.Struct, frozen=True):
    """A request that was made up. `path` is where schemathesis sends it, query included."""

    path: str
    content_type: str
    body: bytes


def made_up(operation: Operation) -> Iterator[Sent]:
    """What the description allows, and what it forbids."""
    yield from _examples(operation, GenerationMode.POSITIVE)
    if operation.query or operation.body:
        yield from _examples(operation, GenerationMode.NEGATIVE)


def _examples(operation: Operation, mode: GenerationMode) -> list[Sent]:
    found: list[Sent] = []

    @(EXAMPLES if operation.body else FEWER)
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: schemathesis.Case[Any]) -> None:
        found.append(_sent(case))

    collect()
    return found


def _sent(case: schemathesis.Case[Any]) -> Sent:
    prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE_URL)).prepare()
    body = prepared.body or b""
    assert isinstance(body, (str, bytes))
    content = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    return Sent(prepared.path_url, str(prepared.headers.get("content-type", "")), content)


def operations() -> list[Operation]:
    described = schemathesis.openapi.from_dict(DOCUMENT)
    found: list[Operation] = []
    for result in described.get_all_operations():
        assert isinstance(result, Ok), result.err()
        found.append(result.ok())
    return sorted(found, key=lambda one: METHODS.index(one.method))


class Asking:
    """Somebody without an account, the account, and a moderator, in turn."""

    def __init__(self, app: Litestar, scene: Scene) -> None:
        self._app = app
        self._scene = scene
        self._turn = 0
        self._tokens: dict[int, str] = {}
        self._who = [0, scene.account, scene.moderator]

    async def ask(self, name: str, sent: Sent) -> Answer:
        """Ask; at what there is, or where it was sent."""
        self._turn += 1
        account_id = self._who[self._turn % 3]
        path = sent.path
        if self._turn % 2 and (known := ADDRESSES.get(name)):
            path = known[self._turn % len(known)].path.format_map(self._scene.made)
            query = urlsplit(sent.path).query
            path += ("&" if "?" in path else "?") + query if query else ""
        equipment = self._app.state.equipment
        equipment.use(equipment.services, equipment.passwords)  # nothing is too much
        if account_id and account_id not in self._tokens:
            self._tokens[account_id] = await self._scene.people.token(account_id)
        body = (sent.content_type, sent.body)
        answer = await self._scene.open(name, path, self._tokens.get(account_id), body=body)
        if answer.status == 401:
            self._tokens.pop(account_id, None)  # signed out by what was asked before
        return answer


def require_fair(name: str, answer: Answer) -> None:
    """Not our fault, and says so in a sentence."""
    assert answer.status != 0, "no answer"
    if answer.status < 400 or name in AT_THE_DOOR:
        assert answer.status < 500
        return
    if name in PAGES and b"content-type: text/html" in answer.headers:
        assert answer.status < 500
        return
    assert b"content-type: application/json" in answer.headers, answer.headers
    error = msgspec.json.decode(answer.body, type=Error)
    assert error.error
    assert answer.status < 500 or error.code in NO_FAULTS


def require_described(operation: Operation, answer: Answer) -> None:
    """Success as the document has it: its status, and the shape of its JSON."""
    if answer.status >= 400 or f"{operation.method.upper()} {operation.path}" in AT_THE_DOOR:
        return
    described = DOCUMENT["paths"][operation.path][operation.method]["responses"]
    assert str(answer.status) in described, f"{answer.status} is not in the document"
    if "application/json" in described[str(answer.status)].get("content", {}):
        _shape(operation.path, operation.method, str(answer.status)).validate(msgspec.json.decode(answer.body))


@cache
def _shape(path: str, method: str, status: str) -> Any:
    content = DOCUMENT["paths"][path][method]["responses"][status]["content"]
    return jsonschema_rs.validator_for(
        content["application/json"]["schema"] | {"components": DOCUMENT["components"]}
    )


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_breaks_the_api(app: Litestar, services: Services, people: People) -> None:
    asking = Asking(app, await staged(app, services, people))
    unfair: list[str] = []
    for operation in operations():
        name = f"{operation.method.upper()} {operation.path}"
        for sent in made_up(operation):
            answer = await asking.ask(name, sent)
            try:
                require_fair(name, answer)
                require_described(operation, answer)
            except (AssertionError, msgspec.MsgspecError, jsonschema_rs.ValidationError) as why:
                unfair.append(f"{name}: {sent} {answer.status} {answer.body!r}"[:2_000] + f" {str(why)[:500]}")
    assert unfair == [], "\n".join(unfair)
