"""Where the sweep opens each surface, and with what body (sweep.py has what is hidden behind them)."""

from typing import Any
from urllib.parse import quote

import msgspec

from folkmoot.gate import Surface

USERNAME = "nightjar"
API = "/api/folkmoot/v1"
SPACE = f"{API}/spaces/{{space_id}}"
STATUS = "/api/v1/statuses/{status_id}"
POLL = "/api/v1/polls/{poll_id}"
SCHEDULED = "/api/v1/scheduled_statuses/{scheduled_id}"
ACCOUNT = "/api/v1/accounts/{account_id}"
ADMIN = "/api/v1/admin"
RECORDED_MS = 2_000
LINK = "https://news.test/birds"


class Address(msgspec.Struct, frozen=True):
    """Where a surface is opened. `own`: it is a thing of the account itself, and gone with it."""

    path: str
    own: bool = False


def own(*paths: str) -> list[Address]:
    return [Address(path, own=True) for path in paths]


def of_everybody(*paths: str) -> list[Address]:
    return [Address(path) for path in paths]


def each(template: str, *names: str) -> list[Address]:
    """The template with each of the made ids in place of its first parameter."""
    head, _, tail = template.partition("{")
    _, _, rest = tail.partition("}")
    return own(*(f"{head}{{{name}}}{rest}" for name in names))


_SPACES = ("scheduled_space", "live_space", "ended_space", "closed_space")
_POSTS = (
    "post", "private_post", "reply", "media_post", "announcement", "own_boost", "followers_boost", "poll_post",
    "quote", "edited",
)  # fmt: skip

_OF_ACCOUNTS = [
    ("GET", "accounts/{account_id}"),
    *(("POST", f"accounts/{{account_id}}/{what}") for what in
      ("action", "approve", "reject", "enable", "unsilence", "unsuspend", "unsensitive")),
    ("DELETE", "accounts/{account_id}"),
]  # fmt: skip
_OF_REPORTS = [
    ("GET", "reports/{report_id}"),
    ("PUT", "reports/{report_id}"),
    *(("POST", f"reports/{{report_id}}/{what}") for what in ("assign_to_self", "unassign", "resolve", "reopen")),
]  # fmt: skip

ADDRESSES: dict[str, list[Address]] = {
    f"GET {SPACE}": each(SPACE, *_SPACES),
    f"GET {API}/spaces": of_everybody(
        f"{API}/spaces", f"{API}/spaces?creator={{account}}", f"{API}/spaces?state=ended",
        f"{API}/spaces?state=scheduled", f"{API}/spaces?ids={{ended_space}},{{live_space}},{{closed_space}}",
    ),
    f"POST {SPACE}/commands": each(f"{SPACE}/commands", "live_space", "strangers_space"),
    f"POST {SPACE}/join": each(f"{SPACE}/join", "live_space", "strangers_space"),
    f"POST {SPACE}/reactions": each(f"{SPACE}/reactions", "live_space", "strangers_space"),
    f"GET {SPACE}/events": each(f"{SPACE}/events", "live_space"),
    f"POST {SPACE}/whip": each(f"{SPACE}/whip", "live_space", "strangers_space"),
    f"DELETE {SPACE}/whip/{{seat}}/{{connection}}": own(f"{API}/spaces/{{strangers_space}}/whip/{{seat}}/none"),
    f"POST {SPACE}/whip/tokens": each(f"{SPACE}/whip/tokens", "live_space", "strangers_space"),
    f"POST {SPACE}/whep": each(f"{SPACE}/whep", "live_space"),
    f"DELETE {SPACE}/whep/{{connection}}": own(f"{API}/spaces/{{live_space}}/whep/none"),
    f"GET {SPACE}/seats": [
        *each(f"{SPACE}/seats", "live_space"), *of_everybody(f"{API}/spaces/{{strangers_space}}/seats"),
    ],
    f"GET {SPACE}/listen": each(f"{SPACE}/listen?codec=opus", "live_space"),
    f"GET {SPACE}/live.ogg": each(f"{SPACE}/live.ogg", "live_space"),
    f"GET {SPACE}/live.aac": each(f"{SPACE}/live.aac", "live_space"),
    f"GET {SPACE}/hls/index.m3u8": each(f"{SPACE}/hls/index.m3u8", "ended_space"),
    f"GET {SPACE}/hls/{{codec}}/index.m3u8": each(f"{SPACE}/hls/aac/index.m3u8", "ended_space"),
    f"GET {SPACE}/hls/{{codec}}/live.m3u8": each(f"{SPACE}/hls/aac/live.m3u8", "ended_space"),
    f"GET {SPACE}/hls/{{codec}}/init.mp4": each(f"{SPACE}/hls/aac/init.mp4", "ended_space"),
    f"GET {SPACE}/hls/shared/{{codec}}/index.m3u8": each(f"{SPACE}/hls/shared/aac/index.m3u8", "ended_space"),
    f"GET {SPACE}/hls/shared/{{codec}}/live.m3u8": each(f"{SPACE}/hls/shared/aac/live.m3u8", "ended_space"),
    f"GET {SPACE}/hls/shared/{{codec}}/init.mp4": each(f"{SPACE}/hls/shared/aac/init.mp4", "ended_space"),
    f"GET {SPACE}/hls/shared/{{codec}}/{{file}}": each(f"{SPACE}/hls/shared/aac/0.m4s", "ended_space"),
    f"GET {SPACE}/media/{{codec}}/init.mp4": each(f"{SPACE}/media/aac/init.mp4", "ended_space"),
    f"GET {SPACE}/hls/{{codec}}/{{file}}": each(f"{SPACE}/hls/aac/0.m4s", "ended_space"),
    f"GET {SPACE}/media/{{codec}}": each(f"{SPACE}/media/aac?from_ms=0&to_ms=1000", "ended_space"),
    f"GET {SPACE}/proof/{{codec}}": each(f"{SPACE}/proof/aac?from_ms=0&to_ms=1000", "ended_space"),
    f"GET {SPACE}/proof/{{codec}}/checkpoints": each(f"{SPACE}/proof/aac/checkpoints", "ended_space"),
    f"GET {SPACE}/waveform": each(f"{SPACE}/waveform", "ended_space"),
    f"GET {SPACE}/download": each(f"{SPACE}/download", "ended_space"),
    f"PATCH {SPACE}/replay": each(f"{SPACE}/replay", "ended_space"),
    f"DELETE {SPACE}/replay": each(f"{SPACE}/replay", "ended_space"),
    f"POST {SPACE}/redactions": each(f"{SPACE}/redactions", "ended_space"),
    f"DELETE {SPACE}/consent": of_everybody(f"{SPACE}/consent".replace("{space_id}", "{strangers_space}")),
    f"DELETE {API}/invites/{{invite_id}}": of_everybody(f"{API}/invites/{{invite}}"),
    f"GET {API}/invite/{{code}}": of_everybody(f"{API}/invite/{{invite_code}}"),
    f"GET {API}/moderation/accounts/{{account_id}}/invites": of_everybody(
        f"{API}/moderation/accounts/{{account}}/invites"
    ),
    f"PUT {API}/moderation/accounts/{{account_id}}/role": of_everybody(
        f"{API}/moderation/accounts/{{account}}/role"
    ),
    f"POST {API}/moderation/accounts/{{account_id}}/links": of_everybody(
        f"{API}/moderation/accounts/{{account}}/links"
    ),
    f"DELETE {API}/moderation/invites/{{invite_id}}": of_everybody(f"{API}/moderation/invites/{{invite}}"),
    f"GET {SPACE}/returning": each(f"{SPACE}/returning", "live_space"),
    f"DELETE {SPACE}/returning/{{account_id}}": of_everybody(f"{API}/spaces/{{live_space}}/returning/{{stranger}}"),
    **{
        f"{method} {ADMIN}/{what}/{{block_id}}": of_everybody(f"{ADMIN}/{what}/{{{what}}}")
        for what in ("ip_blocks", "canonical_email_blocks", "email_domain_blocks")
        for method in ("GET", "PUT", "DELETE")
        if method != "PUT" or what == "ip_blocks"
    },
    **{
        f"{method} {API}/moderation/{what}/{{{what[:-1]}_id}}{tail}": of_everybody(
            f"{API}/moderation/{what}/{{{made}}}{tail}"
        )
        for what, made in (("spaces", "ended_space"), ("clips", "clip"))
        for method, tail in (("GET", ""), ("POST", "/action"), ("POST", "/lift"))
    },
    **{
        f"{method} {ADMIN}/{what}s/{{{what[7:]}_id}}": of_everybody(f"{ADMIN}/{what}s/{{{what}s}}")
        for what, methods in (("domain_block", ("GET", "PUT", "DELETE")), ("domain_allow", ("GET", "DELETE")))
        for method in methods
    },
    f"DELETE {API}/sessions/{{session_id}}": of_everybody(f"{API}/sessions/1"),
    f"PATCH {API}/second-factor/passkeys/{{passkey_id}}": of_everybody(f"{API}/second-factor/passkeys/1"),
    f"POST {API}/second-factor/passkeys/{{passkey_id}}/remove": of_everybody(
        f"{API}/second-factor/passkeys/1/remove"
    ),
    f"POST {API}/moderation/appeals/{{appeal_id}}": of_everybody(f"{API}/moderation/appeals/1"),
    f"GET {API}/moderation/reports/{{report_id}}/files/{{media_id}}": of_everybody(
        f"{API}/moderation/reports/{{report}}/files/{{film}}"
    ),
    "GET /api/v1/accounts/lookup": own("/api/v1/accounts/lookup?acct=" + USERNAME),
    "GET /api/v1/accounts/relationships": of_everybody("/api/v1/accounts/relationships?id[]={account}"),
    f"GET {ACCOUNT}": each(ACCOUNT, "account"),
    f"GET {ACCOUNT}/statuses": each(f"{ACCOUNT}/statuses", "account"),
    f"GET {ACCOUNT}/followers": [
        *each(f"{ACCOUNT}/followers", "account"), *of_everybody("/api/v1/accounts/{stranger}/followers"),
    ],
    f"GET {ACCOUNT}/following": [
        *each(f"{ACCOUNT}/following", "account"), *of_everybody("/api/v1/accounts/{follower}/following"),
    ],
    **{
        f"POST {ACCOUNT}/{verb}": of_everybody(f"/api/v1/accounts/{{stranger}}/{verb}")
        for verb in (
            "follow", "unfollow", "remove_from_followers", "block", "unblock", "mute", "unmute", "note", "endorse",
            "unendorse", "pin", "unpin",
        )
    },
    **{
        f"POST /api/v1/follow_requests/{{account_id}}/{verb}": of_everybody(
            f"/api/v1/follow_requests/{{asking}}/{verb}"
        )
        for verb in ("authorize", "reject")
    },
    "GET /api/v1/accounts": of_everybody("/api/v1/accounts?id[]={account}&id[]={stranger}"),
    "GET /api/v1/accounts/search": of_everybody(
        "/api/v1/accounts/search?q=canaryname", "/api/v1/accounts/search?q=" + USERNAME.upper()
    ),
    "GET /api/v2/search": of_everybody(
        "/api/v2/search?q=canaryname", "/api/v2/search?q=canaryt", f"/api/v2/search?q=from:{USERNAME}",
        "/api/v2/search?q={base_url}/@" + USERNAME + "/{post}", "/api/v2/search?q={base_url}/spaces/{live_space}",
    ),
    "GET /api/v1/accounts/familiar_followers": of_everybody("/api/v1/accounts/familiar_followers?id[]={stranger}"),
    "DELETE /api/v1/suggestions/{account_id}": of_everybody("/api/v1/suggestions/{stranger}"),
    "GET /api/v1/directory": of_everybody("/api/v1/directory", "/api/v1/directory?order=new"),
    f"GET {ACCOUNT}/endorsements": [
        *each(f"{ACCOUNT}/endorsements", "account"), *of_everybody("/api/v1/accounts/{follower}/endorsements"),
    ],
    f"GET {ACCOUNT}/identity_proofs": each(f"{ACCOUNT}/identity_proofs", "account"),
    # Moderators judge what nobody else is shown: these are nobody's own.
    **{
        f"{method} {ADMIN}/{what}": of_everybody(f"{ADMIN}/{what.replace(part, f'{{{made}}}')}")
        for part, made, whats in (("{account_id}", "account", _OF_ACCOUNTS), ("{report_id}", "report", _OF_REPORTS))
        for method, what in whats
    },
    **{
        f"{method} /api/v1/lists/{{list_id}}{tail}": of_everybody(f"/api/v1/lists/{{followers_list}}{tail}")
        for method, tail in (
            ("GET", ""), ("PUT", ""), ("DELETE", ""),
            ("GET", "/accounts"), ("POST", "/accounts"), ("DELETE", "/accounts"),
        )
    },
    "GET /api/v1/timelines/list/{list_id}": of_everybody("/api/v1/timelines/list/{followers_list}"),
    f"GET {ACCOUNT}/lists": each(f"{ACCOUNT}/lists", "account"),
    "GET /api/v1/timelines/tag/{tag}": of_everybody("/api/v1/timelines/tag/birds"),
    "GET /api/v1/timelines/link": of_everybody(f"/api/v1/timelines/link?url={quote(LINK, safe='')}"),
    "GET /api/v1/tags/{name}": of_everybody("/api/v1/tags/birds"),
    **{
        f"POST /api/v1/tags/{{name}}/{verb}": of_everybody(f"/api/v1/tags/birds/{verb}")
        for verb in ("follow", "unfollow", "feature", "unfeature")
    },
    "DELETE /api/v1/featured_tags/{tag_id}": of_everybody("/api/v1/featured_tags/1"),
    f"GET {ACCOUNT}/featured_tags": each(f"{ACCOUNT}/featured_tags", "account"),
    **{
        f"{method} /api/v{version}/filters/{{{part}}}{tail}": of_everybody(
            f"/api/v{version}/filters/{{{'filter_keyword' if version == 1 else 'filter'}}}{tail}"
        )
        for version, part, tail, methods in (
            (1, "keyword_id", "", ("GET", "PUT", "DELETE")),
            (2, "filter_id", "", ("GET", "PUT", "DELETE")),
            (2, "filter_id", "/keywords", ("GET", "POST")),
            (2, "filter_id", "/statuses", ("GET", "POST")),
        )
        for method in methods
    },
    **{
        f"{method} /api/v2/filters/{what}/{{{part}}}": of_everybody(f"/api/v2/filters/{what}/{{{made}}}")
        for what, part, made, methods in (
            ("keywords", "keyword_id", "filter_keyword", ("GET", "PUT", "DELETE")),
            ("statuses", "entry_id", "filter_entry", ("GET", "DELETE")),
        )
        for method in methods
    },
    "DELETE /api/v1/conversations/{conversation_id}": of_everybody("/api/v1/conversations/{conversation}"),
    **{
        f"POST /api/v1/conversations/{{conversation_id}}/{verb}": of_everybody(
            f"/api/v1/conversations/{{conversation}}/{verb}"
        )
        for verb in ("read", "unread")
    },
    "POST /api/v1/announcements/{announcement_id}/dismiss": of_everybody("/api/v1/announcements/1/dismiss"),
    **{
        f"{method} /api/v1/announcements/{{announcement_id}}/reactions/{{name}}": of_everybody(
            "/api/v1/announcements/1/reactions/👍"
        )
        for method in ("PUT", "DELETE")
    },
    "GET /emoji/{name}": of_everybody("/emoji/1.png"),
    "PUT /api/v1/media/{media_id}": each("/api/v1/media/{media_id}", "media"),
    "GET /api/v1/media/{media_id}": each("/api/v1/media/{media_id}", "media"),
    "DELETE /api/v1/media/{media_id}": each("/api/v1/media/{media_id}", "media"),
    "GET /media/{key}": own(
        "/media/{media}.m4a", "/media/{private_media}.m4a", "/media/{film}.mp4", "/media/{film}-small.png"
    ),
    "GET /proxy/{seal}/{named}": of_everybody("/proxy/none/none"),
    # Whom nobody sees has the picture of everybody without one: no refusal, and nothing of theirs.
    "GET /portraits/{account_id}/{name}": of_everybody("/portraits/{account}/avatar-7.png"),
    "GET /api/oembed": own("/api/oembed?url={base_url}/@" + USERNAME + "/{post}"),
    "GET /embed/{post_id}": each("/embed/{post_id}", "post", "media_post"),
    "GET /api/v1/statuses": of_everybody("/api/v1/statuses?id[]={post}&id[]={private_post}&id[]={reply}"),
    f"GET {STATUS}": each(STATUS, *_POSTS),
    f"DELETE {STATUS}": each(STATUS, "post"),
    f"PUT {STATUS}": each(STATUS, "post"),
    f"GET {STATUS}/history": each(f"{STATUS}/history", "edited"),
    f"GET {STATUS}/source": each(f"{STATUS}/source", "post"),
    f"PUT {STATUS}/interaction_policy": each(f"{STATUS}/interaction_policy", "post"),
    f"GET {STATUS}/quotes": [
        *each(f"{STATUS}/quotes", "post"), *of_everybody("/api/v1/statuses/{strangers_post}/quotes"),
    ],
    f"POST {STATUS}/quotes/{{quoting_id}}/revoke": own("/api/v1/statuses/{post}/quotes/{strangers_quote}/revoke"),
    f"GET {POLL}": each(POLL, "poll"),
    f"POST {POLL}/votes": [*each(f"{POLL}/votes", "poll"), *of_everybody("/api/v1/polls/{strangers_poll}/votes")],
    **{f"{method} {SCHEDULED}": each(SCHEDULED, "scheduled_post") for method in ("GET", "PUT", "DELETE")},
    **{
        f"POST {STATUS}/{verb}": each(f"{STATUS}/{verb}", "post", "reply")
        for verb in (
            "reblog", "unreblog", "favourite", "unfavourite", "bookmark", "unbookmark", "pin", "unpin", "mute",
            "unmute",
        )
    },
    **{
        f"GET {STATUS}/{who}": [
            *each(f"{STATUS}/{who}", "post"), *of_everybody(f"/api/v1/statuses/{{strangers_post}}/{who}"),
        ]
        for who in ("reblogged_by", "favourited_by")
    },
    f"GET {STATUS}/context": [
        *each(f"{STATUS}/context", "post"), *of_everybody("/api/v1/statuses/{strangers_post}/context"),
    ],
    "GET /oauth/authorize": of_everybody("/oauth/authorize?client_id=none"),
    # Pages are an empty shell for whoever is signed in.
    "GET /spaces/{space_id}": of_everybody("/spaces/{ended_space}", "/spaces/{live_space}"),
    "GET /{handle}": of_everybody("/@" + USERNAME),
    **{
        f"GET /{{handle}}/{side}": of_everybody(f"/@{USERNAME}/{side}")
        for side in ("with_replies", "media", "followers", "following")
    },
    "GET /{handle}/tagged/{tag}": of_everybody(f"/@{USERNAME}/tagged/moot"),
    "GET /tags/{tag}": of_everybody("/tags/moot"),
    "GET /lists/{list_id}": of_everybody("/lists/1"),
    "GET /{handle}/{post_id}": of_everybody("/@" + USERNAME + "/{post}", "/@" + USERNAME + "/{private_post}"),
    "GET /api/v1/streaming/hashtag": of_everybody("/api/v1/streaming/hashtag?tag=moot"),
    "GET /api/v1/streaming/hashtag/local": of_everybody("/api/v1/streaming/hashtag/local?tag=moot"),
    "GET /api/v1/streaming/list": own("/api/v1/streaming/list?list={own_list}"),
    **{
        f"{method} /api/v2/notifications/{{group_key}}{rest}": own(f"/api/v2/notifications/{{own_group}}{rest}")
        for method, rest in (("GET", ""), ("POST", "/dismiss"))
    },
    # Of a group that one doesn't have: nobody.
    "GET /api/v2/notifications/{group_key}/accounts": of_everybody("/api/v2/notifications/{own_group}/accounts"),
    "GET /api/v1/notifications/requests/{request_id}": own("/api/v1/notifications/requests/{request}"),
    "POST /api/v1/notifications/requests/{request_id}/accept": of_everybody(
        "/api/v1/notifications/requests/1/accept"
    ),
    "POST /api/v1/notifications/requests/{request_id}/dismiss": of_everybody(
        "/api/v1/notifications/requests/1/dismiss"
    ),
    "GET /api/v1/notifications/{notification_id}": own(
        "/api/v1/notifications/{own_notification}", "/api/v1/notifications/{notification}"
    ),
    "POST /api/v1/notifications/{notification_id}/dismiss": of_everybody("/api/v1/notifications/1/dismiss"),
    "GET /moderation/accounts/{account_id}": of_everybody("/moderation/accounts/{account}"),
    "GET /assets/{name}": of_everybody("/assets/none.js"),
}  # fmt: skip

# A browser's: the generator of P-256, and 16 bytes.
PUSH_KEYS = {
    "p256dh": "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    "auth": "AAAAAAAAAAAAAAAAAAAAAA",
}
# What there is for one token only, so that another finds nothing there.
OF_A_TOKEN = frozenset({"GET /api/v1/push/subscription"})
# What is sent, as JSON unless it is bytes: (content type, body).
BODIES: dict[str, Any] = {
    f"POST {API}/spaces": {"title": "Another", "start": False},
    f"POST {SPACE}/commands": {"do": "ask"},
    f"POST {SPACE}/reactions": {"emoji": "👏"},
    f"POST {SPACE}/whip": ("application/sdp", b"v=0\r\n"),
    f"POST {SPACE}/whep": ("application/sdp", b"v=0\r\n"),
    f"PATCH {SPACE}/replay": {"start_ms": 0},
    f"POST {SPACE}/redactions": {"from_ms": 0, "to_ms": 100, "reason": "other"},
    f"POST {API}/password": {"current": "not the password", "new": "another long password"},
    f"POST {API}/moderation/spaces/{{space_id}}/action": {"type": "mute", "reason": "No."},
    f"POST {API}/moderation/spaces/{{space_id}}/lift": {"standing": "muted"},
    f"POST {API}/moderation/clips/{{clip_id}}/action": {"reason": "No."},
    f"POST {API}/moderation/appeals/{{appeal_id}}": {"granted": False, "answer": "No."},
    f"POST {API}/appeals": {"sanction": "1", "text": "No."},
    f"POST {API}/deactivate": {"password": "not the password"},
    f"POST {API}/password-reset": {"email": "nobody@mail.example"},
    f"POST {API}/email": {"email": "somebody@mail.example", "password": "not the password"},
    f"POST {API}/moderation/accounts/{{account_id}}/links": {"kind": "password"},
    f"PUT {API}/moderation/accounts/{{account_id}}/role": {"role": "member"},
    f"POST {API}/account-deletion": {"password": "not the password"},
    f"POST {API}/email-link": {"secret": "none"},
    f"POST {API}/session/second-factor": {"ticket": "none", "code": "000000"},
    f"POST {API}/session/passkey": {"passkey": {}},
    f"POST {API}/second-factor/totp": {"password": "not the password"},
    f"POST {API}/second-factor/totp/confirm": {"code": "000000"},
    f"POST {API}/second-factor/totp/remove": {"password": "not the password"},
    f"POST {API}/second-factor/recovery-codes": {"password": "not the password"},
    f"POST {API}/second-factor/passkeys/options": {"password": "not the password"},
    f"POST {API}/second-factor/passkeys": {"passkey": {}},
    f"PATCH {API}/second-factor/passkeys/{{passkey_id}}": {"name": "Key"},
    f"POST {API}/second-factor/passkeys/{{passkey_id}}/remove": {"password": "not the password"},
    f"POST {API}/second-factor-link": {"secret": "none", "username": "nobody", "password": "none"},
    f"POST {API}/password-link": {"secret": "none", "new": "another long password"},
    f"POST {API}/invites": {"uses": 1},
    f"POST {API}/clips": {"space": "1", "start_ms": 0, "end_ms": 1_000},
    "POST /api/v1/statuses": {"status": "still here"},
    f"PUT {STATUS}": {"status": "still here"},
    f"PUT {STATUS}/interaction_policy": {"quote_approval_policy": "nobody"},
    f"POST {POLL}/votes": {"choices": [0]},
    f"PUT {SCHEDULED}": {"scheduled_at": "2028-01-01T00:00:00Z"},
    "POST /api/v1/notifications/requests/accept": {"id": ["1"]},
    "POST /api/v1/notifications/requests/dismiss": {"id": ["1"]},
    "POST /api/v1/push/subscription": {"subscription": {"endpoint": "https://push.example", "keys": PUSH_KEYS}},
    "POST /api/v1/reports": {"account_id": "1", "comment": "still here"},
    "PATCH /api/v1/accounts/update_credentials": {"note": "still here"},
    "POST /api/v1/domain_blocks": {"domain": "elsewhere.test"},
    "DELETE /api/v1/domain_blocks": {"domain": "elsewhere.test"},
    "PUT /api/v1/media/{media_id}": {"description": "still here"},
}


def addresses_of(surface: Surface) -> list[Address]:
    """Where a surface is opened. Fails for one that is described nowhere."""
    declared = ADDRESSES.get(surface.name)
    if declared is not None:
        return declared
    path = surface.name.partition(" ")[2]
    assert "{" not in path, f"{surface.name} is not swept: say in swept.py's ADDRESSES where it is opened"
    return of_everybody(path)
