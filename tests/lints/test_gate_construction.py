"""Nobody passes the gate by mistake: the rules of `gate_rules` hold for the whole source, and each can fail."""

from functools import cache

import pytest
from tests.lints import gate_rules as rules
from tests.lints.gate_rules import Module, Rule


@cache
def gated() -> frozenset[str]:
    return rules.gated_names(rules.modules())


# Who acts without a person, and why nobody has to be asked. A caller that isn't here fails; so does a stale entry.
SYSTEM = {
    "bench/standing.py": "a benchmark makes its accounts and decides about them, on a server of its own",
    "clips/redacting.py": "what was decided to be taken out leaves the tape and everybody's clips",
    "posts/polls.py": "a poll's time is over",
    "posts/scheduled.py": "why a post could not come at its time is kept for its author",
    "posts/files/processing.py": "what was uploaded is made into what players play",
    "serve/first.py": "the first start makes the owner's link",
    "serve/consequences.py": "whoever lost the standing, or is shut out, leaves the stage",
    "serve/worker.py": "recordings close",
    "notifications/telling.py": "people are told what happened",
    "notifications/push/sending.py": "where nobody takes what is pushed, nothing is pushed any more",
    "serve/pruning.py": "what opens nothing and what hangs on nothing is deleted in time",
    "spaces/keeper.py": "connections and time tell a Space what happened",
    "surfaces/cli/admin.py": "whoever can read the server's data",
    "surfaces/cli/running.py": "the same, for what moderators do",
    "surfaces/mastodon/admin_accounts.py": "an owner has a suspended account deleted",
    "surfaces/session.py": "signing out, and the challenge of a passkey: there is nobody yet, or nobody to refuse",
    "surfaces/sign_in.py": "there is nobody yet: a password, a code or a passkey says who comes",
    "surfaces/sign_up.py": "there is nobody yet",
    "surfaces/emails.py": "whoever opens the link in a letter, in whatever browser",
    "surfaces/second_factors.py": "whoever lost a second factor has a link and the password, and no session",
    "surfaces/mastodon/registration.py": "a program gets the token of the account that it just made",
    "surfaces/new_password.py": "a link says whose password it is; whoever asks for one may be anybody",
    "accounts/letters.py": "links are made as their letters are sent",
    "moderation/evasion/visits.py": "hosts are told of whom they removed, whoever that is now",
    "moderation/ends.py": "what ends by the clock is told like a lift",
    "moderation/notices.py": "a letter about what somebody decided",
    "accounts/sessions/used.py": "on which day a session was used",
    "surfaces/mastodon/oauth.py": "programs register, and exchange what a person has agreed to",
}
# Who looks with an account's eyes without its token.
IN_ITS_NAME = {
    "posts/scheduled.py": "a post comes at its time, if its author may post then",
    "surfaces/sign_in.py": "the password, the code or the passkey was right",
    "leaving/job.py": "whose account is deleted, step by step, after they asked for it",
    "surfaces/mastodon/media_files.py": "a signed link, whose stamps were checked",
    "surfaces/spaces/hearing.py": "a request that waited, whose stamps were checked anew",
    "surfaces/spaces/listen.py": "a listen ticket, whose stamps were checked",
    "surfaces/spaces/speaker.py": "a token of a seat is its account's, with the stamps that it carries",
}
# Who reads the table of standings by themselves: what follows from it and is no seeing, acting or staying.
BY_STANDING = {
    "accounts/actions.py": "a token that somebody suspended is given opens their room, and no more afterwards",
    "accounts/relations/following.py": "nobody follows whom nobody sees",
    "accounts/relations/queries.py": "how one stands to whom nobody sees is left out",
    "accounts/invites/queries.py": "a link opens as long as its maker may give such links",
    "accounts/letters.py": "whoever is locked gets no link by mail",
    "leaving/spaces.py": "a Space passes on to somebody who is there",
    "moderation/evasion/rules.py": "whose traces are worth a hint: only those of the sanctioned",
    "notifications/queries.py": "news of the limited can wait for a word",
    "surfaces/invites.py": "how whom somebody brought stands now, for moderators",
    "surfaces/mastodon/load_statuses.py": "why a clip is gone, in its place",
    "moderation/queries.py": "the list of what was decided",
    "moderation/ends.py": "how somebody stood until their sanction ended, and how since, to tell them",
    "moderation/members/queries.py": "accounts as moderators see them",
    "notifications/telling.py": "a Space that was taken down starts for nobody, and nobody is told that it does",
    "serve/network.py": "a relay is for those who may speak",
    "serve/consequences.py": "whoever may no longer take part leaves the stage",
    "spaces/queries.py": "the machine's facts: who may take part",
    "surfaces/spaces/stage.py": "a seat is marked as that of a sanctioned account",
}
# Who speaks to other hosts by HTTP or mail, and why without asking the gate (a bench asks its own server).
# Federation is not here: it takes a `Contact` for every word that comes in or goes out.
SPEAKING_TO_HOSTS = {
    "notifications/push/posting.py": "to push services that people chose, sealed; to no private network",
    "mail/smtp.py": "to the mail server of the settings, which finds the others",
    "surfaces/cli/remote.py": "`tape verify`, by a person at a command line, for themselves",
    "surfaces/cli/top.py": "to its own server",
    "media/remote.py": "files of other servers: surfaces/mastodon/remote_media.py takes a `Contact` for each",
}
# What a surface remembers beyond a request, and why nobody is shown by it what the gate would not show. That no
# object lives on in which something was rendered, tests/surfaces/test_nothing_kept.py shows.
KEPT_BY_SURFACES = {
    "surfaces/described/asked.py: _tree": "the source of handlers, to describe them",
    "surfaces/forms.py: _described": "what a body is made of",
    "surfaces/limits.py: _counted": "how a token is counted",
    "surfaces/mastodon/present.py: timestamp": "a number as text",
    "surfaces/mastodon/profile_text.py: note_html": "words as HTML, by these words: the gate showed them",
    "surfaces/mastodon/profile_text.py: field_html": "the same",
    "surfaces/mastodon/streams/message.py: piece": "of one message, gone with it",
    "surfaces/pages/pages.py: _read_shell": "a file of the client",
    "surfaces/pages/source.py: _archive": "the program's own source",
}
# Takes any of several scopes, which it checks itself.
SCOPE_CHECKED_INSIDE = ("surfaces/mastodon/profiles.py", "verify_credentials opens to a token of any scope")

RULES: dict[str, Rule] = {
    "only the gate makes": rules.only_the_gate_makes,
    "only the gate writes": rules.only_the_gate_writes,
    "only signed makes keys": rules.only_signed_makes_keys,
    "actions take acting": rules.actions_take_acting,
    "presenters take Visible": lambda module: rules.presenters_take_visible(gated())(module),
    "handlers say whom they serve": rules.handlers_say_whom_they_serve,
}


def faults(rule: Rule) -> list[str]:
    return [f"{module.path}: {fault}" for module in rules.modules() for fault in rule(module)]


@pytest.mark.parametrize("name", RULES)
def test_the_source_keeps_the_rule(name: str) -> None:
    path, excused = SCOPE_CHECKED_INSIDE
    found = faults(RULES[name])
    assert [fault for fault in found if not (fault.startswith(path) and fault.endswith(excused))] == []


def test_only_who_is_declared_speaks_to_other_hosts() -> None:
    found = {module.path for module in rules.modules() if module.room != "bench" and any(rules.clients_of(module))}
    assert found == set(SPEAKING_TO_HOSTS)


@pytest.mark.parametrize(
    "source", ["import httpx", "import http.client", "from urllib.request import urlopen", "import smtplib as mail"]
)
def test_a_client_is_noticed(source: str) -> None:
    assert list(rules.clients_of(rules.parse("federation/delivery.py", source)))


@pytest.mark.parametrize(
    ("names", "declared"),
    [({"permit_system"}, SYSTEM), ({"as_account"}, IN_ITS_NAME), (rules.DECIDING, BY_STANDING)],
    ids=["permit_system", "as_account", "by standing"],
)
def test_only_who_is_declared_uses(names: set[str], declared: dict[str, str]) -> None:
    using = {
        module.path for module in rules.modules() if module.room != "gate" and any(rules.callers_of(module, names))
    }
    assert using == set(declared)


def test_only_what_is_declared_is_kept_by_surfaces() -> None:
    kept = {f"{module.path}: {name}" for module in rules.modules() for name in rules.keeps_what_it_made(module)}
    assert kept == set(KEPT_BY_SURFACES)


@pytest.mark.parametrize(
    "source",
    [
        "@lru_cache(20)\ndef status(visible): ...",
        "@functools.cache\nasync def status(visible): ...",
        "_shown = {}\ndef status(visible):\n    _shown[visible.item.id] = 1",
        "_shown: dict[int, Status] = {}\ndef status(visible):\n    return _shown.setdefault(1, visible)",
        "def status(visible):\n    global _last\n    _last = visible",
    ],
)
def test_what_keeps_is_noticed(source: str) -> None:
    assert list(rules.keeps_what_it_made(rules.parse("surfaces/mastodon/present.py", source)))


def test_there_is_something_to_check() -> None:
    assert {"Account", "Post", "Media", "Space", "Recording"} <= gated()
    assert sum(module.name == "actions.py" for module in rules.modules()) >= 4
    assert sum(module.room == "surfaces" and module.name.startswith("present") for module in rules.modules()) >= 3


BAD = [
    ("only signed makes keys", "surfaces/spaces/tickets.py", "from joserfc import jwt"),
    ("only signed makes keys", "surfaces/spaces/tickets.py", "import joserfc.jwt as j"),
    ("only the gate makes", "posts/queries.py", "Visible(post, viewer, None)"),
    ("only the gate makes", "posts/queries.py", "Visible[Post](post, viewer, None)"),
    ("only the gate makes", "posts/queries.py", "from folkmoot.gate import Visible as Seen\nSeen(post, viewer, 0)"),
    ("only the gate makes", "posts/queries.py", "gate.Permit(viewer, action, 'me', maker)"),
    ("only the gate makes", "spaces/actions.py", "Acting(tx, permit, maker)"),
    ("only the gate makes", "surfaces/http.py", "Lease(book, (), end)"),
    ("only the gate makes", "surfaces/http.py", "Viewer(account_id=5)"),
    ("only the gate makes", "surfaces/http.py", "from folkmoot.gate.visible import _MAKER"),
    ("only the gate makes", "surfaces/http.py", "visible._MAKER"),
    ("only the gate makes", "surfaces/http.py", "object.__new__(Visible)"),
    ("only the gate makes", "surfaces/http.py", "cast('Visible[Post]', post)"),
    ("only the gate makes", "surfaces/http.py", "msgspec.convert(claims, Viewer)"),
    ("only the gate makes", "surfaces/http.py", "class Mine(Visible[int]):\n    pass"),
    ("only the gate writes", "moderation/actions.py", "from folkmoot.storage.tables.people import sanctions"),
    (
        "only the gate writes",
        "moderation/queries.py",
        "from folkmoot.storage.tables.people import sanctions\nsanctions.insert()",
    ),
    (
        "only the gate writes",
        "moderation/queries.py",
        "from folkmoot.storage.tables.people import revocations as r\ndelete(r)",
    ),
    (
        "only the gate writes",
        "moderation/actions.py",
        "from folkmoot.storage.tables import people\npeople.sanctions",
    ),
    ("only the gate writes", "moderation/actions.py", "text('DELETE FROM sanctions')"),
    ("actions take acting", "posts/actions.py", "async def create_post(tx: Write): ..."),
    ("actions take acting", "posts/actions.py", "async def create_post(draft, acting: Acting): ..."),
    ("actions take acting", "posts/actions.py", "async def create_post(): ..."),
    ("actions take acting", "posts/actions.py", "async def create_post(acting: Write): ..."),
    ("presenters take Visible", "surfaces/mastodon/present.py", "def status(post: Post): ..."),
    ("presenters take Visible", "surfaces/mastodon/present.py", "def status(post: 'list[Post]'): ..."),
    (
        "presenters take Visible",
        "surfaces/mastodon/present_x.py",
        "def status(*, of: Mapping[int, Post | None]): ...",
    ),
    ("presenters take Visible", "surfaces/mastodon/present.py", "class Around(Struct):\n    post: models.Post"),
    ("handlers say whom they serve", "surfaces/x.py", "from litestar import get\n@get('/')\nasync def x(): ..."),
    (
        "handlers say whom they serve",
        "surfaces/x.py",
        "from litestar import post\n@post('/', opt={})\nasync def x(): ...",
    ),
    (
        "handlers say whom they serve",
        "surfaces/x.py",
        "from litestar import post\n@post('/', opt=serves(Serves.SIGNED_IN, Action.POST))\nasync def x(): ...",
    ),
    (
        "handlers say whom they serve",
        "surfaces/x.py",
        "from litestar import post\n@post('/', opt=serves(Serves.NOBODY))\nasync def x(permit): ...",
    ),
]
GOOD = [
    ("only the gate makes", "gate/gate.py", "Visible(item, viewer, _MAKER)"),
    ("only the gate makes", "posts/queries.py", "def f(x: Visible[Post]) -> list[Visible[Post]]: ..."),
    ("only the gate writes", "moderation/queries.py", "from folkmoot.storage.tables.people import sanctions"),
    ("actions take acting", "posts/actions.py", "async def create_post(acting: Acting, draft: Draft): ..."),
    ("actions take acting", "posts/actions.py", "async def _helper(tx: Write): ..."),
    ("presenters take Visible", "surfaces/mastodon/present.py", "def status(post: list[Visible[Post]]): ..."),
    (
        "handlers say whom they serve",
        "surfaces/x.py",
        "from litestar import get\nO = serves(Serves.ANYONE)\n@get('/', opt=O)\nasync def x(viewer): ...",
    ),
]


@pytest.mark.parametrize(("name", "path", "source"), BAD)
def test_each_rule_can_fail(name: str, path: str, source: str) -> None:
    assert list(RULES[name](rules.parse(path, source)))


@pytest.mark.parametrize(("name", "path", "source"), GOOD)
def test_each_rule_can_hold(name: str, path: str, source: str) -> None:
    assert list(RULES[name](rules.parse(path, source))) == []


@pytest.mark.parametrize(
    "source", ["gate.permit_system(Action.MODERATE, 'me')", "grab = services.gate.permit_system"]
)
def test_a_caller_is_found(source: str) -> None:
    module: Module = rules.parse("posts/actions.py", source)
    assert list(rules.callers_of(module, {"permit_system"})) == ["permit_system"]
