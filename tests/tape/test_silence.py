"""Silence of any size: decoders take it, and nothing is to be heard."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape import opus
from folkmoot.tape.encode import silent_frame
from folkmoot.tape.model import CODEC_CONFIGS, Codec
from folkmoot.tape.silence import silences, silent_frame_of


@pytest.mark.parametrize("codec", Codec)
def test_the_smallest_is_what_the_encoder_itself_makes_of_silence(codec: Codec) -> None:
    frame = silent_frame(codec)
    assert silent_frame_of(codec, len(frame)) == frame


@given(size_bytes=st.integers(1, 1_275))
def test_opus_of_any_size_decodes_to_one_silent_frame(size_bytes: int) -> None:
    frame = silent_frame_of(Codec.OPUS, size_bytes)
    assert len(frame) == size_bytes
    heard = opus.Decoder().decode(frame)
    assert len(heard) == 960
    assert not heard.any()


@given(size_bytes=st.integers(4, 768))
def test_aac_of_any_size_decodes_to_one_silent_frame(size_bytes: int) -> None:
    frame = silent_frame_of(Codec.AAC, size_bytes)
    assert len(frame) == size_bytes
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = CODEC_CONFIGS[Codec.AAC].audio_specific_config
    heard = [one.to_ndarray() for _ in range(2) for one in decoder.decode(av.Packet(frame))]
    assert [one.shape for one in heard] == [(1, 1024)] * 2
    assert not np.concatenate(heard).any()


@given(codec=st.sampled_from(Codec), count=st.integers(1, 8), extra=st.integers(0, 5_000))
def test_together_they_are_as_long_as_what_they_replace(codec: Codec, count: int, extra: int) -> None:
    frames = silences(codec, count, count + extra)
    assert len(frames) == count
    assert sum(map(len, frames)) == count + extra
    assert max(map(len, frames)) - min(map(len, frames)) <= 1
