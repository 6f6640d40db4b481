"""A clock that only moves when a test says so."""


class FakeClock:
    """Unix milliseconds, wherever a `clock_ms: Callable[[], int]` is asked for."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance_ms(self, duration_ms: int) -> None:
        self.now_ms += duration_ms
