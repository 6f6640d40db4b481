"""What others wrote, made harmless for a terminal."""


def printable(text: str) -> str:
    """The text with a mark in the place of whatever a terminal would obey or hide rather than show."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
