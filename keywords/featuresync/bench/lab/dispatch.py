"""The forced command of the lab's SSH: state of the features, and nothing else.

Run as a script by sshd; the argument is a JSON file with the command lines of the programs that this lab
has, by name. What the client asked for is taken apart like a shell would, and never given to a shell.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

KAMCMD = frozenset({"htable.dump", "htable.get", "htable.sets", "htable.seti", "htable.delete"})
TABLES = frozenset({"st", "push"})
DATABASE = {"show": (0, 1, 2), "get": (2,), "put": (3,), "del": (2,)}
"""Commands on Asterisk's database, and how many words may follow each."""
FAMILIES = frozenset({"DND", "CF", "CFB", "CFU"})
_WORD = re.compile(r"(?!-)[0-9A-Za-z+*#.@:_-]{1,128}")
REFUSED = 126
LOOKS = 200
"""How often to look whether a push has been taken, at about 7 ms each; the server takes it within 50 ms."""


def allowed(asked: str) -> list[str] | None:
    """The program's name and its words, None when the command is not one of those allowed."""
    try:
        words = shlex.split(asked)
    except ValueError:
        return None
    if len(words) >= 3 and words[0] == "kamcmd" and words[1] in KAMCMD and words[2] in TABLES:
        return words
    if len(words) == 3 and words[:2] == ["asterisk", "-rx"] and _on_database(words[2]):
        return words
    return None


def _on_database(command: str) -> bool:
    """Whether this is a command on the features' families, in words that cannot be read otherwise."""
    words = command.split(" ")
    if len(words) < 2 or words[0] != "database" or len(words) - 2 not in DATABASE.get(words[1], ()):
        return False
    return set(words[2:3]) <= FAMILIES and all(_WORD.fullmatch(word) for word in words)


def main() -> None:
    words = allowed(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    with open(sys.argv[1], encoding="utf-8") as file:
        programs: dict[str, list[str]] = json.load(file)
    if words is None or words[0] not in programs:
        print("refused: only the state of the features, by " + ", ".join(programs), file=sys.stderr)
        sys.exit(REFUSED)
    command = [*programs[words[0]], *words[1:]]
    if words[:3] != ["kamcmd", "htable.sets", "push"]:
        os.execv(command[0], command)  # noqa: S606
    # Like any administration, it answers when the server has acted: NOTIFYs of one command must not
    # meet the requests of the next.
    code = subprocess.run(command, check=False).returncode
    dump = [*programs["kamcmd"], "htable.dump", "push"]
    for _ in range(LOOKS):
        if not subprocess.run(dump, capture_output=True, check=False).stdout.strip():
            break
    sys.exit(code)


if __name__ == "__main__":
    main()
