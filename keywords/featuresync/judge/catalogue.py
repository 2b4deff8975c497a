"""The catalogue: every requirement there is a judge for, in the order of the specifications."""

from __future__ import annotations

from .code_call import CODE_CALLS
from .csta import CSTA
from .devices import DEVICES
from .digest import DIGEST
from .documents import DOCUMENTS
from .effect import EFFECT
from .feature_code import CODES
from .rfc3261 import RFC3261
from .rfc6665_end import END
from .rfc6665_notify import NOTIFY
from .rfc6665_start import START
from .state import STATE
from .verdict import Requirement

_ORDER = "TR AU SU EX NO RF UN BD MP ST ER MS CO FC FV CS EF XF PH".split()

CATALOGUE: dict[str, Requirement] = {
    row.id: row
    for row in sorted(
        [
            *RFC3261,
            *DIGEST,
            *START,
            *NOTIFY,
            *END,
            *DOCUMENTS,
            *STATE,
            *DEVICES,
            *CODES,
            *CODE_CALLS,
            *EFFECT,
            *CSTA,
        ],
        key=lambda row: (_ORDER.index(row.id[:2]), row.id),
    )
}


def requirement(id: str) -> Requirement:
    """The row of that id. Raises KeyError when there is none."""
    return CATALOGUE[id]
