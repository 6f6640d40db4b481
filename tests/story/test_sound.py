"""The measure itself: the same voice is alike, another voice or noise is not."""

from pathlib import Path

import numpy as np
from tests.story import sound


def test_a_voice_is_like_itself_and_unlike_another(tmp_path: Path) -> None:
    one = sound.read(sound.recorded_voice(tmp_path / "one.wav", ("Front_Center", "Front_Left"), 0.3))
    other = sound.read(sound.recorded_voice(tmp_path / "other.wav", ("Rear_Right", "Side_Left"), 0.3))
    later = np.concatenate([one, one])[30_000 : 30_000 + 2 * sound.RATE]
    assert sound.likeness(one, later) > 0.98
    assert sound.likeness(other, later) < 0.8
    noise = np.random.default_rng(1).normal(0, 0.1, sound.RATE).astype(np.float32)
    assert sound.likeness(one, noise) < 0.5
