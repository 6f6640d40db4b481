"""The one gate (docs/architecture.md, "One gate"): the public names of the package."""

from folkmoot.gate.gate import Gate, shown_to_others
from folkmoot.gate.leases import Lease, LeaseBook
from folkmoot.gate.model import (
    ANONYMOUS,
    Action,
    Facts,
    Gated,
    Kind,
    Reach,
    Refused,
    Role,
    Serves,
    Stamp,
    Standing,
    Subject,
    Viewer,
    invalid,
)
from folkmoot.gate.register import Register, Surface, Unregistered
from folkmoot.gate.visible import Acting, Contact, Permit, Visible

__all__ = [
    "ANONYMOUS",
    "Acting",
    "Action",
    "Contact",
    "Facts",
    "Gate",
    "Gated",
    "Kind",
    "Lease",
    "LeaseBook",
    "Permit",
    "Reach",
    "Refused",
    "Register",
    "Role",
    "Serves",
    "Stamp",
    "Standing",
    "Subject",
    "Surface",
    "Unregistered",
    "Viewer",
    "Visible",
    "invalid",
    "shown_to_others",
]
