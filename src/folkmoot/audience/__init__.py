"""The audience: the door that recognises a listen request, the hand-over of its socket, and the fan-out workers.

Knows Spaces, codecs and stamps only; what a stamp's subject stands for is the gate's business.
"""
