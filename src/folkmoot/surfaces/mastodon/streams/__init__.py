"""Streams: what happens, as it happens, to who is there. https://docs.joinmastodon.org/methods/streaming/"""
