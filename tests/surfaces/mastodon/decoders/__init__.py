"""What strict clients need of an answer to read it at all: the fields without which, or with another type of which,
their decoders give up on the whole answer. A field with a default may be missing. Read from their sources in 2026,
which say nothing of what they do with it. `ANSWERS`: by address, what each is read as."""
