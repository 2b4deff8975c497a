"""Topics of ``Note`` that the judge reads: what a scenario means and the wire cannot say.

Everything else is read from the wire, so that a field capture can be judged too: a SUBSCRIBE for
``NO_SUCH_PACKAGE`` is the occasion of SU-07, a request without credentials that of AU-01 and AU-02.
"""

WRONG_PASSWORD = "wrong-password"
"""The actor's next exchange carries credentials made with a wrong password on purpose (AU-05)."""

UNPLUGGED = "unplugged"
"""The actor left the wire: from now on nothing that its subscriptions miss counts against the server."""

NO_SUCH_PACKAGE = "x-none"
"""The event package that no server knows: a SUBSCRIBE for it is the occasion of SU-07."""

SOUND = "sound"
"""What the actor heard in its last call; nothing is judged by it."""

OFF_WITH_DIGITS = "off-with-digits"
"""The actor's next call is an off code with somebody's number behind it (FC-05)."""

WITHOUT_NUMBER = "without-number"
"""The actor's next call is a forward's on code without a number (FC-06)."""

UNKNOWN_CODE = "unknown-code"
"""The actor's next call is to a code that means nothing (FC-07)."""

WITHOUT_CREDENTIALS = "without-credentials"
"""The actor's next call is a feature code that is sent without credentials (FC-08)."""

ODD = "odd"
"""The actor's next request is odd on purpose, as the text says: it is never taken for a meant change."""
