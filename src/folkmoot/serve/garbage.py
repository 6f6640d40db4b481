"""When a process with very many connections looks for garbage, and among what.

CPython's full collection visits every object that refers to others: 110 of them for each open stream, and with
10,000 streams that is a pause of 0.7 s in which nobody is answered, no socket handed over and no right ended.
Nearly all of it lives as long as its connection and dies by its reference count. So what a collection found alive
is set aside (`gc.freeze`), and the next visits only what is newer. What was set aside and then became a cycle that
nobody refers to would stay for ever: once as many objects were set aside as lived when all were last looked at, all
are looked at again. So garbage is never more than what lives, and looking costs the same for each object made.
"""

import gc


class Sparing:
    """For `gc.callbacks`: sets aside what a full collection left, and looks at all of it again in good time."""

    def __init__(self, again_at: float = 1.0) -> None:
        """All are looked at again when so many were set aside, as a share of those that lived the last time."""
        self.again_at = again_at
        self._lived = 0
        self._set_aside = 0
        self._looks_at_all = False

    def start(self) -> None:
        """From now on, in this process. What is there already is looked through once."""
        gc.callbacks.append(self)
        gc.collect()

    def stop(self) -> None:
        gc.callbacks.remove(self)
        gc.unfreeze()

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._looks_at_all = self._set_aside >= self._lived * self.again_at
            if self._looks_at_all:
                gc.unfreeze()
            return
        survived = len(gc.get_objects(generation=2))
        gc.freeze()
        if self._looks_at_all:
            self._lived, self._set_aside = survived, 0
        else:
            self._set_aside += survived
