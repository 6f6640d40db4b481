"""What a list may be: pure decisions, refused with a sentence."""

from folkmoot.accounts.rules import clean_lines
from folkmoot.gate import invalid
from folkmoot.timelines.lists.model import RepliesPolicy

LISTS_MAX = 50
MEMBERS_MAX = 500
TITLE_CHARACTERS_MAX = 255


def clean_title(title: str) -> str:
    """Raises Refused 422."""
    clean = clean_lines(title, "title", "A title", TITLE_CHARACTERS_MAX).replace("\n", " ").strip()
    if not clean:
        raise invalid("Title can't be blank")
    return clean


def replies_policy(text: str) -> RepliesPolicy:
    """Raises Refused 422."""
    try:
        return RepliesPolicy(text)
    except ValueError as error:
        raise invalid("Replies policy is list, followed or none") from error
