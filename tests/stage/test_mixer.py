"""Mixing: sums, sums without oneself, levels, and nobody comes or goes with a click."""

import re
import subprocess
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from tests.stage.meters import click_ratio, integrated_lufs, true_peak_dbtp
from tests.stage.peers import has_tone
from tests.stage.test_jitter import speech_like

from folkmoot.bench.speech import speech
from folkmoot.stage.limiter import DELAY_SAMPLES
from folkmoot.stage.mixer import PERSONAL_TICKS, Contribution, Mixed, Mixer
from folkmoot.stage.speaking import SpeakingDetector, level_of_frame_dbov
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Codec, Note
from folkmoot.tape.opus import Pcm
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

pytestmark = pytest.mark.slow  # seconds of coding

VOICE = speech(0.7)
"""Recorded speech, 8 s; -18.2 LUFS."""


def tone(frequency: float, amplitude: int = 2000, ticks: int = 1) -> Pcm:
    at = np.arange(960 * ticks) / 48_000
    return (np.sin(2 * np.pi * frequency * at) * amplitude).astype(np.int16)


def at_level(sound: Pcm, change_db: float) -> Pcm:
    changed: Pcm = np.clip(sound * 10 ** (change_db / 20), -32768, 32767).astype(np.int16)
    return changed


def mixed(tracks: Mapping[int, Pcm], mixer: Mixer | None = None) -> list[Mixed]:
    """What a mixer makes of seats' sound, frame by frame, each with a detector of its own."""
    mixer = mixer or Mixer()
    detectors = {seat: SpeakingDetector() for seat in tracks}
    ticks: list[Mixed] = []
    for tick in range(max(len(track) for track in tracks.values()) // 960):
        contributions = []
        for seat, track in tracks.items():
            frame = track[tick * 960 : (tick + 1) * 960]
            if len(frame) == 960:
                speaking = detectors[seat].hear(level_of_frame_dbov(frame), tick * 20)
                contributions.append(Contribution(seat, frame, True, speaking))
        ticks.append(mixer.mix(contributions))
    return ticks


def full(ticks: list[Mixed]) -> Pcm:
    return np.concatenate([one.full for one in ticks])


def test_everybody_hears_the_others_and_the_silent_hear_all() -> None:
    frequencies = {1: 300, 2: 500, 3: 700}
    ticks = mixed({seat: tone(frequency, 4000, 50) for seat, frequency in frequencies.items()})
    assert set(ticks[-1].minus) == {1, 2, 3}
    heard = {seat: np.concatenate([one.minus[seat] for one in ticks[-20:]]) for seat in frequencies}
    heard[4] = full(ticks[-20:])
    for seat, sound in heard.items():
        for other, frequency in frequencies.items():
            assert has_tone(sound, frequency, 0.01) == (seat != other)


def test_one_seat_alone_is_itself_a_little_later() -> None:
    said = speech_like(3)
    out = full(mixed({1: said})).astype(float)
    assert np.corrcoef(out[48_000 + DELAY_SAMPLES :], said[48_000 : len(out) - DELAY_SAMPLES])[0, 1] > 0.99


def test_a_seat_of_silence_shares_the_full_mix_and_one_that_pauses_keeps_its_own() -> None:
    mixer = Mixer()
    loud, quiet = Contribution(1, tone(300), True), Contribution(2, tone(300, 10), True)
    assert set(mixer.mix([loud, quiet]).minus) == {1}
    pauses = [set(mixer.mix([quiet, Contribution(3, tone(500), True)]).minus) for _ in range(PERSONAL_TICKS)]
    assert [1 in one for one in pauses] == [True] * (PERSONAL_TICKS - 1) + [False]


def test_nobody_is_silence() -> None:
    mixer = Mixer()
    assert mixer.mix([Contribution(1, None, False)]).silent
    mixer.mix([Contribution(1, tone(300), True)])
    mixer.mix([Contribution(1, tone(300), False)])
    assert not mixer.mix([]).silent  # what the limiter still holds
    last = mixer.mix([])
    assert last.silent
    assert not last.full.any()


# --- levels


@pytest.mark.parametrize("change_db", [-22, -10, 0, 6])
def test_quiet_and_loud_speakers_come_out_at_16_lufs(change_db: float) -> None:
    said = at_level(VOICE, change_db)
    out = full(mixed({1: said}))
    assert integrated_lufs(out) == pytest.approx(-16, abs=2)
    assert true_peak_dbtp(out) <= -1


def test_a_talk_of_a_quiet_and_a_loud_one_is_even_and_neither_jumps() -> None:
    said, turn = np.tile(VOICE, 2), len(VOICE)
    quiet, loud = at_level(said, -20), at_level(said, 4)
    for at in range(0, len(said), 2 * turn):
        quiet[at : at + turn] = 0
        loud[at + turn : at + 2 * turn] = 0
    out = full(mixed({1: quiet, 2: loud}))
    loudness = [integrated_lufs(out[at : at + turn]) for at in range(0, len(out) - turn + 1, turn)]
    assert integrated_lufs(out) == pytest.approx(-16, abs=2)
    assert max(loudness) - min(loudness) < 2
    assert true_peak_dbtp(out) <= -1


def test_thirteen_at_once_are_as_loud_as_one_in_every_mix() -> None:
    said = VOICE
    ticks = mixed({seat: np.roll(at_level(said, -2 * seat), seat * 9600) for seat in range(1, 14)})
    for sound in (full(ticks), np.concatenate([one.minus.get(13, one.full) for one in ticks])):
        assert integrated_lufs(sound) == pytest.approx(-16, abs=2)
        assert true_peak_dbtp(sound) <= -1


def test_noise_and_silence_are_not_turned_up() -> None:
    random = np.random.default_rng(1)
    for level_db in (-50.0, -40.0):
        noise = (random.standard_normal(48_000 * 8) * 32768 * 10 ** (level_db / 20)).astype(np.int16)
        before, after = integrated_lufs(noise), integrated_lufs(full(mixed({1: noise})))
        assert after <= before + 1


def test_after_a_pause_full_of_noise_the_voice_is_as_loud_as_before() -> None:
    said = at_level(speech_like(10), -15)
    fan = (np.random.default_rng(1).standard_normal(48_000 * 15) * 100).astype(np.int16)
    out = full(mixed({1: np.concatenate([said, fan, said])}))
    first, second = out[5 * 48_000 : 10 * 48_000], out[25 * 48_000 : 30 * 48_000]
    assert integrated_lufs(second) == pytest.approx(integrated_lufs(first), abs=1)


@pytest.mark.parametrize("change_db", [-11, -13, -18, 10])
def test_who_becomes_quieter_or_louder_in_mid_talk_is_at_16_lufs_again_6_s_later(change_db: float) -> None:
    before = at_level(VOICE, min(0, -change_db))
    out = full(mixed({1: np.concatenate([before, np.tile(at_level(before, change_db), 2)])}))
    settled = len(before) + 6 * 48_000
    assert integrated_lufs(out[settled : settled + 8 * 48_000]) == pytest.approx(-16, abs=3)


@pytest.mark.parametrize("fan_db", [-44, -36])
def test_a_fan_that_passes_for_speech_in_a_pause_is_hardly_turned_up(fan_db: float) -> None:
    fan = (np.random.default_rng(1).standard_normal(48_000 * 8) * 32768 * 10 ** (fan_db / 20)).astype(np.int16)
    out = full(mixed({1: np.concatenate([VOICE, fan])}))[len(VOICE) :]
    assert integrated_lufs(out[-96_000:]) <= integrated_lufs(out[:96_000]) + 4


@pytest.mark.parametrize("codec", list(Codec))
def test_what_listeners_decode_is_16_lufs_and_clips_nowhere_says_ffmpeg(
    codec: Codec, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("loud") / "tape"
    said = np.tile(VOICE, 2)
    writer, encoder = TapeWriter.open(folder, lambda: 0), StepEncoder()
    for one in mixed({1: at_level(said, -20), 2: np.roll(at_level(said, 5), 3 * 48_000)}):
        parts = encoder.encode(one.full)
        if parts:
            writer.append(parts, Note())
    writer.append(encoder.finish(), Note())
    writer.close()
    with TapeReader(folder) as reader:
        sound = reader.init(codec) + reader.read(reader.parts(codec, 0, reader.end_ms))
    command = ["ffmpeg", "-hide_banner", "-i", "-", "-af", "ebur128=peak=true", "-f", "null", "-"]
    said_by = subprocess.run(command, input=sound, capture_output=True, check=True)
    summary = said_by.stderr.decode().rpartition("Summary:")[2]
    loudness, peak = re.search(r"I:\s+(-?[\d.]+) LUFS", summary), re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness is not None
    assert peak is not None
    assert float(loudness[1]) == pytest.approx(-16, abs=2)
    assert float(peak[1]) <= -1


# --- clicks


def appearing(said: Pcm, mixer: Mixer) -> list[Mixed]:
    return [mixer.mix([]) for _ in range(15)] + mixed({1: said}, mixer)


def ending(said: Pcm, mixer: Mixer) -> list[Mixed]:
    """The last frame says so, as a source's does on mute, on leaving, on a cut, and on a replaced connection."""
    before = mixed({1: said[:-960]}, mixer)
    return [*before, mixer.mix([Contribution(1, said[-960:], False)]), *(mixer.mix([]) for _ in range(15))]


@pytest.mark.parametrize(("change", "at"), [(appearing, 15 * 960), (ending, 30 * 960)])
def test_coming_and_going_has_no_click(change: Callable[[Pcm, Mixer], list[Mixed]], at: int) -> None:
    said = tone(200, 20_000, 30) if change is ending else np.roll(tone(200, 20_000, 30), 60)
    assert click_ratio(full(change(said, Mixer())), at + DELAY_SAMPLES) < 2


def test_the_meter_hears_a_click_where_nobody_faded() -> None:
    cut = np.concatenate([tone(200, 5000, 30)[:-300], np.zeros(9600, np.int16)])
    assert click_ratio(cut, 30 * 960 - 300) > 10


def test_a_shout_is_turned_down_without_a_click() -> None:
    said = np.concatenate([tone(200, 500, 100), tone(200, 30_000, 50)])
    out = full(mixed({1: said}))
    assert true_peak_dbtp(out) <= -1
    assert click_ratio(out, 100 * 960 + DELAY_SAMPLES) < click_ratio(said, 100 * 960)
