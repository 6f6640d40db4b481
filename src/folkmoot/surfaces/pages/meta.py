"""What a page says in its head: title, OpenGraph (ogp.me), and where its oEmbed is."""

from html import escape
from urllib.parse import quote

import msgspec


class PageMeta(msgspec.Struct, frozen=True):
    """A page as unfurlers and search engines see it."""

    title: str
    description: str
    url: str
    audio_url: str | None = None
    image_url: str | None = None
    oembed: bool = False

    def tags(self) -> list[str]:
        """Its `<meta>` and `<link>` tags, escaped."""
        properties = {
            "og:title": self.title,
            "og:description": self.description,
            "og:url": self.url,
            "og:type": "music.song" if self.audio_url else "website",
            "og:image": self.image_url,
            "og:audio": self.audio_url,
            "og:audio:type": "audio/mp4" if self.audio_url else None,
        }
        tags = [
            f'<meta property="{name}" content="{escape(content)}" />'
            for name, content in properties.items()
            if content
        ]
        tags.append(f'<meta name="description" content="{escape(self.description)}" />')
        tags.append(f'<link rel="canonical" href="{escape(self.url)}" />')
        if self.oembed:
            base = self.url.split("/", 3)
            address = f"{'/'.join(base[:3])}/api/oembed?url={quote(self.url, safe='')}"
            tags.append(f'<link rel="alternate" type="application/json+oembed" href="{escape(address)}" />')
        return tags
