"""The command line. ``main`` is the entry point; a Fault ends in one line and its exit code."""

from __future__ import annotations

import sys

from featuresync.errors import ConfigFault, Fault

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with the documented code."""
    import typer

    from .app import app

    try:
        sys.exit(app(standalone_mode=False))
    except Fault as fault:
        _say(fault)
        sys.exit(fault.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped")
        sys.exit(INTERRUPTED)
    except Exception as error:
        # Typer carries a click of its own and hides it: its usage errors are known by their shape.
        if not hasattr(error, "format_message"):
            raise
        _say(
            ConfigFault("command line", "usage", "a known command, option and value", error.format_message())
        )
        sys.exit(ConfigFault.exit_code)


def _say(what: object) -> None:
    print(f"featuresync: {what}", file=sys.stderr)
