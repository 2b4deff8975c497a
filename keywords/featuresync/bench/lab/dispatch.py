"""The forced command of the lab's SSH: state of the features, and nothing else.

Run as a script by sshd; the arguments are the command line of ``kamcmd`` on this server's socket. What
the client asked for is taken apart like a shell would, and never given to a shell.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

VERBS = frozenset({"htable.dump", "htable.get", "htable.sets", "htable.seti", "htable.delete"})
TABLES = frozenset({"st", "push"})
REFUSED = 126
LOOKS = 200
"""How often to look whether a push has been taken, at about 7 ms each; the server takes it within 50 ms."""


def allowed(asked: str) -> list[str] | None:
    """The words after ``kamcmd``, None when the command is not one of those allowed."""
    try:
        words = shlex.split(asked)
    except ValueError:
        return None
    if len(words) < 3 or words[0] != "kamcmd" or words[1] not in VERBS or words[2] not in TABLES:
        return None
    return words[1:]


def main() -> None:
    words = allowed(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    if words is None:
        print("refused: only kamcmd htable.dump|get|sets|seti|delete on st and push", file=sys.stderr)
        sys.exit(REFUSED)
    command = [*sys.argv[1:], *words]
    if words[:2] != ["htable.sets", "push"]:
        os.execv(command[0], command)  # noqa: S606
    # Like any administration, it answers when the server has acted: NOTIFYs of one command must not
    # meet the requests of the next.
    code = subprocess.run(command, check=False).returncode
    dump = [*sys.argv[1:], "htable.dump", "push"]
    for _ in range(LOOKS):
        if not subprocess.run(dump, capture_output=True, check=False).stdout.strip():
            break
    sys.exit(code)


if __name__ == "__main__":
    main()
