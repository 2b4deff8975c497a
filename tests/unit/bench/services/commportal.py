"""CommPortal: the subscriber's own pages. A session in the path, answers as calls of a function."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService
from .shservice import INDICATIONS


class CommPortal(HttpService):
    vendor, recipe = "metaswitch", "commportal"

    def __init__(self) -> None:
        super().__init__()
        self.secrets = {"portal": PASSWORD}
        self.sessions: dict[str, str] = {}

    def forget(self) -> None:
        self.sessions.clear()

    def answer(self, asked: Asked) -> Said:
        if asked.method == "POST" and asked.path == "/login.html?version=9.5.40":
            return self._log_in(asked.body)
        where = re.fullmatch(r"/session(\w+)/line/data\?data=(\w+)", asked.path)
        if where is None or where[2] not in INDICATIONS:
            return Said(404)
        if where[1] not in self.sessions:
            return _call(where[2], None, [{"type": "sessionExpired"}])
        user, name = self.sessions[where[1]], where[2]
        if asked.method == "POST":
            return self._save(user, name, asked.body)
        return _call(name, self._shown(user, name), None)

    def _log_in(self, body: str) -> Said:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        user = form.get("DirectoryNumber", "")
        if user not in USERS or form.get("Password") != PASSWORD:
            return Said(200, "<html>Please log in</html>")
        assert form["ApplicationID"] == "MS_WebClient"
        session = f"5e5510{user}{len(self.sessions)}abcdef0123456789"
        self.sessions[session] = user
        return Said(200, f"session={session}&version=9.5.40")

    def _save(self, user: str, name: str, body: str) -> Said:
        data = json.loads(body)
        if self.temper == "fails":
            return _call(name, None, [{"type": "notSubscribed"}])
        number = data["Number"]["_"] if "Number" in data else None
        made = self.change(user, INDICATIONS[name], data["Enabled"]["_"], number)
        return _call(name, {}, None) if made else _call(name, None, [{"type": "numberNeeded"}])

    def _shown(self, user: str, name: str) -> object:
        state = self.states[user][INDICATIONS[name]]
        shown = {"Subscribed": {"Value": {"_": True}}, "Enabled": {"_": state.on}}
        # The number of a forward that never had one is not there at all.
        return shown | ({"Number": {"_": state.number}} if state.number else {})


def _call(name: str, data: object, errors: object) -> Said:
    told = data if errors is None else {"errors": errors}
    return Said(200, f'callback("{name}",{json.dumps(told)},null)')
