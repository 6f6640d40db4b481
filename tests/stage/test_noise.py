"""Noise suppression: less noise, the same voice, and a sentence where the package is missing."""

import sys

import numpy as np
import pytest
from tests.stage.test_bad_sound import feed
from tests.stage.test_jitter import speech_like

from folkmoot.settings import SettingsError, load
from folkmoot.stage.noise import NoiseSuppressionMissing, noise_suppressor
from folkmoot.stage.source import SeatSource
from folkmoot.tape.opus import Application, Encoder, Pcm


def through(pcm: Pcm, source: SeatSource) -> Pcm:
    encoder = Encoder(application=Application.AUDIO, bitrate=64_000)
    give = feed([encoder.encode(np.ascontiguousarray(pcm[at : at + 960])) for at in range(0, len(pcm), 960)])
    source.connected = True
    frames = []
    for tick in range(len(pcm) // 960):
        give(tick, source)
        heard, _ = source.frame(tick * 20.0 + 5, hushed=False)
        frames.append(heard if heard is not None else np.zeros(960, np.int16))
    return np.concatenate(frames)


def test_a_fan_is_taken_out_and_the_voice_stays() -> None:
    fan = (np.random.default_rng(1).standard_normal(4 * 48_000) * 300).astype(np.int16)
    said = np.concatenate([fan, fan + speech_like(4)])
    plain, cleaned = through(said, SeatSource()), through(said, SeatSource(noise_suppressor()))
    assert cleaned[96_000:192_000].std() < 0.4 * plain[96_000:192_000].std()
    assert cleaned[200_000:].std() == pytest.approx(plain[200_000:].std(), rel=0.25)


def test_without_the_package_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    with pytest.raises(NoiseSuppressionMissing, match="pip install 'folkmoot\\[noise\\]'"):
        noise_suppressor()


def test_the_setting_is_off_and_is_refused_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load({}).noise_suppression
    assert load({"FOLKMOOT_NOISE_SUPPRESSION": "true"}).noise_suppression
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="noise_suppression needs the package livekit"):
        load({"FOLKMOOT_NOISE_SUPPRESSION": "true"})
