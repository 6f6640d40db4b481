"""`Visible[T]` and `Permit`: what presenters and actions take, and what only the gate makes."""

from typing import Final, Generic, TypeVar

from folkmoot.gate.model import Action, Refused, Standing, Viewer
from folkmoot.storage.database import Write

T_co = TypeVar("T_co", covariant=True)
_MAKER: Final = object()


def _require_maker(maker: object, what: type) -> None:
    # Not an assertion: `python -O` must not open the gate.
    if maker is not _MAKER:
        raise TypeError(f"only the gate makes {what.__name__}")


class Visible(Generic[T_co]):
    """A thing that this viewer may be shown. Presenters take it and nothing else. `is_open`: its owners are shown
    to everybody, rather than to followers only; how far the thing itself reaches is another question."""

    __slots__ = ("is_open", "item", "viewer")

    def __init__(self, item: T_co, viewer: Viewer, maker: object, *, is_open: bool = True) -> None:
        _require_maker(maker, Visible)
        self.item: Final = item
        self.viewer: Final = viewer
        self.is_open: Final = is_open


class Contact:
    """A host of another network with which this server may deal now: what every word from there or to there takes.
    `standing` is active or limited. Asked for anew for each: nothing stays open by it."""

    __slots__ = ("host", "standing")

    def __init__(self, host: str, standing: Standing, maker: object) -> None:
        _require_maker(maker, Contact)
        self.host: Final = host
        self.standing: Final = standing


class Permit:
    """The gate's word that a viewer may do an action now; `Gate.act` asks again inside the transaction."""

    __slots__ = ("action", "by", "viewer")

    def __init__(self, viewer: Viewer, action: Action, by: str, maker: object) -> None:
        _require_maker(maker, Permit)
        self.viewer: Final = viewer
        self.action: Final = action
        # "account", or which part of the system acts ("worker: hold is over", "admin").
        self.by: Final = by


class Acting:
    """A write transaction in which the actor's standing was read again: what every action takes."""

    __slots__ = ("permit", "tx")

    def __init__(self, tx: Write, permit: Permit, maker: object) -> None:
        _require_maker(maker, Acting)
        self.tx: Final = tx
        self.permit: Final = permit

    @property
    def viewer(self) -> Viewer:
        return self.permit.viewer

    @property
    def actor_id(self) -> int:
        """The acting account; an action of the system has none and must not ask."""
        return self.permit.viewer.id

    @property
    def now_ms(self) -> int:
        return self.tx.now_ms

    def require(self, action: Action) -> None:
        """Raises Refused if a person was permitted another action than this: a permit to listen bans nobody."""
        if self.viewer.account_id is not None and self.permit.action is not action:
            raise Refused("not_permitted", f"This needs a permit to {action.value.replace('_', ' ')}.")
