"""What stands on a page for whoever runs no scripts: the public posts and Spaces, as plain HTML.

Made of entities that the gate has let through, as somebody without an account sees them. It is put into a
`<noscript>`, so that nothing moves when the client starts.
"""

import re
from collections.abc import Iterable
from html import escape

from folkmoot.surfaces.mastodon.entities import Account
from folkmoot.surfaces.mastodon.status_entities import Context, Status
from folkmoot.surfaces.services import Site
from folkmoot.surfaces.spaces.schema import Space

# With scripts a browser reads a <noscript> as text up to this, whatever it is part of.
_END = re.compile("</noscript", re.IGNORECASE)


def square(statuses: Iterable[Status]) -> str:
    """The newest public posts."""
    return _page("The square", _posts(statuses) or "<p>Nobody has posted to everybody yet.</p>")


def tag(name: str, statuses: Iterable[Status]) -> str:
    """The newest public posts with a tag."""
    return _page(f"#{name}", _posts(statuses) or "<p>Nobody has posted with this tag yet.</p>")


def profile(account: Account, statuses: Iterable[Status]) -> str:
    """Who somebody is, and what they posted."""
    fields = "".join(f"<dt>{escape(one.name)}</dt><dd>{one.value}</dd>" for one in account.fields)
    about = f'<p class="soft">@{escape(account.acct)}</p><div>{account.note}</div><dl>{fields}</dl>'
    return _page(_name(account), f"{about}<h2>Posts</h2>{_posts(statuses) or '<p>Nothing posted yet.</p>'}")


def thread(shown: Status, around: Context) -> str:
    """A post, what it answers above it, and what answers it below."""
    return _page(
        f"Post by {_name(shown.account)}",
        _posts(around.ancestors) + _post(shown) + "<h2>Replies</h2>" + _posts(around.descendants),
    )


def spaces(live: Iterable[Space], scheduled: Iterable[Space], ended: Iterable[Space]) -> str:
    """What one can hear now, later, and again."""
    parts = (("Live now", live), ("Coming up", scheduled), ("Before", ended))
    told = [(title, "".join(f"<li>{_space_line(one)}</li>" for one in those)) for title, those in parts]
    return _page(
        "Spaces", "".join(f"<h2>{title}</h2><ul>{lines or '<li>None.</li>'}</ul>" for title, lines in told)
    )


def space(shown: Space, replies: Iterable[Status]) -> str:
    """What a Space is, a way to hear it, and what is written about it."""
    host = f'<a href="{escape(shown.host.url)}">{escape(_name(shown.host))}</a>'
    topics = " · ".join(map(escape, shown.topics))
    about = f"<p>{_when(shown)}</p><p>Hosted by {host}</p>" + (f"<p>{topics}</p>" if topics else "")
    return _page(
        shown.title, f"{about}{_sound(shown)}<h2>Conversation</h2>{_posts(replies) or '<p>Nothing yet.</p>'}"
    )


def about(site: Site, description: str) -> str:
    """What the server is, and who can be asked."""
    contact = f"<p>Who runs it: {escape(site.contact)}</p>" if site.contact else ""
    software = (
        f"<p>This server runs Folkmoot {escape(site.version)}, free software under the GNU Affero General "
        f'Public License 3.0 or later. <a href="{escape(site.source_url)}">Its source code</a> is open to read '
        "and to run. Any app that speaks the Mastodon API can be used with it.</p>"
    )
    voice = "<h2>Your voice</h2><p>Nobody is recorded unasked. Listening needs no account.</p>"
    return _page(
        f"About {site.title}", f"<p>{escape(description)}</p>{contact}{voice}<h2>The software</h2>{software}"
    )


def _space_line(shown: Space) -> str:
    title = f'<a href="{escape(shown.url)}">{escape(shown.title)}</a>'
    return f"<strong>{title}</strong><br>{_when(shown)} · hosted by {escape(_name(shown.host))}"


def _when(shown: Space) -> str:
    if shown.state == "live":
        return "Live now"
    if shown.state == "scheduled":
        return f"Begins {_day(shown.scheduled_at)}" if shown.scheduled_at else "To come"
    return f"{shown.state.capitalize()} {_day(shown.ended_at)}" if shown.ended_at else shown.state.capitalize()


def _sound(shown: Space) -> str:
    """Browsers take of these what they play: HLS at Apple's, else the stream itself."""
    if shown.state == "live":
        ways = [(shown.hls_url, "application/vnd.apple.mpegurl"), (f"{shown.listen_url}?codec=aac", "audio/mp4")]
    elif shown.replay is not None:
        ways = [(shown.replay.download_url, "audio/mp4")]
    else:
        return ""
    sources = "".join(f'<source src="{escape(url)}" type="{kind}" />' for url, kind in ways)
    return f'<p><audio controls preload="none">{sources}</audio></p>'


def _page(title: str, body: str) -> str:
    ways = (
        '<p><a href="/">Home</a> · <a href="/public">The square</a> · <a href="/spaces">Spaces</a> · '
        '<a href="/about">About</a></p>'
    )
    return _END.sub("&lt;/noscript", f'<main class="plain stack"><h1>{escape(title)}</h1>{body}{ways}</main>')


def _posts(statuses: Iterable[Status]) -> str:
    return "".join(_post(one) for one in statuses)


def _post(listed: Status) -> str:
    shown = listed.reblog or listed
    boosted = f'<p class="soft">{escape(_name(listed.account))} boosted</p>' if listed.reblog else ""
    by = f'<a href="{escape(shown.account.url)}">{escape(_name(shown.account))}</a> @{escape(shown.account.acct)}'
    when = f'<a href="{escape(shown.url)}"><time datetime="{shown.created_at}">{_day(shown.created_at)}</time></a>'
    return f'<article class="card">{boosted}<p><strong>{by}</strong> · {when}</p>{_warned(shown)}</article>'


def _warned(shown: Status) -> str:
    if not shown.spoiler_text:
        return _body(shown)
    return f"<details><summary>{escape(shown.spoiler_text)}</summary>{_body(shown)}</details>"


def _body(shown: Status) -> str:
    parts = [f'<div dir="auto">{shown.content}</div>']
    if shown.poll is not None:
        parts.append("<ul>" + "".join(f"<li>{escape(one.title)}</li>" for one in shown.poll.options) + "</ul>")
    files = "".join(_file(one.type, one.url, one.description) for one in shown.media_attachments if one.url)
    # What is behind a warning in words is behind that.
    is_covered = files and shown.sensitive and not shown.spoiler_text
    parts.append(f"<details><summary>Sensitive</summary>{files}</details>" if is_covered else files)
    if shown.card is not None:
        parts.append(f'<p><a href="{escape(shown.card.url)}">{escape(shown.card.title)}</a></p>')
    return "".join(parts)


def _file(kind: str, url: str, description: str | None) -> str:
    words, address = escape(description or ""), escape(url)
    if kind == "image":
        return f'<p><img src="{address}" alt="{words}" loading="lazy" /></p>'
    player = "audio" if kind == "audio" else "video"
    return f'<p><{player} controls preload="none" src="{address}"></{player}> {words}</p>'


def _name(account: Account) -> str:
    return account.display_name or account.username


def _day(time: str) -> str:
    """2026-11-23T01:02:03.456Z → 2026-11-23 01:02"""
    return time[:16].replace("T", " ")
