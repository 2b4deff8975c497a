"""OpenAPI of the P-Series: a token in the query, ``User-Agent: OpenAPI``, and errors with status 200."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from featuresync.sync.feature import Feature

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService

_FORWARDS = {"always": Feature.CF_ALWAYS, "busy": Feature.CF_BUSY, "no_answer": Feature.CF_NO_ANSWER}
_CLIENT = {"username": "featuresync-client", "password": PASSWORD}


class OpenApi(HttpService):
    vendor, recipe = "yeastar", "openapi"

    def __init__(self) -> None:
        super().__init__()
        self.secrets = dict(_CLIENT)
        self.tokens: list[str] = []

    def forget(self) -> None:
        self.tokens.clear()

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("user-agent") != "OpenAPI":
            return Said(403, "who are you?")
        where = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        body = json.loads(asked.body or "{}")
        if where.path == "/openapi/v1.0/get_token":
            return self._log_in(body)
        if query.get("access_token") not in self.tokens:
            return _said(10004, "ACCESS TOKEN EXPIRED")
        call = f"{asked.method} {where.path.removeprefix('/openapi/v1.0/')}"
        if call == "GET extension/search":
            return self._search(query["search_value"])
        user = {_id(user): user for user in USERS}.get(int(query.get("id") or body.get("id", 0)))
        if user is None:
            return _said(40002, "PARAMETER ERROR")
        if call == "GET extension/get":
            return _said(0, "SUCCESS", data=self._shown(user))
        return self._update(user, body) if call == "POST extension/update" else Said(404)

    def _log_in(self, body: object) -> Said:
        if body != _CLIENT:
            return _said(70004, "FAILURE")
        self.tokens.append(f"EXZMpZAO86mbrKm6rFtgeb3rfcpC9uq{len(self.tokens)}")
        tokens = {"access_token": self.tokens[-1], "refresh_token": "SCduGecwbG9jIusiS8FxFUVn3kf0Q9R8"}
        return _said(0, "SUCCESS", **tokens)

    def _search(self, value: str) -> Said:
        """Whatever has the words in it, somewhere: 1001 finds 10010 too."""
        numbers = [number for number in ("10010", *USERS, "21001") if value in number]
        online = {"sip_phone": {"status": 1, "ext_dev_type": "sip", "status_list": [{"status": 1}]}}
        found = [
            {"id": _id(number), "online_status": online, "presence_status": "available", "number": number}
            for number in numbers
        ]
        return _said(0, "SUCCESS", total_number=len(found), data=found)

    def _update(self, user: str, body: dict) -> Said:
        if self.temper == "fails":
            return _said(60001, "FAILURE")
        if (status := body.get("presence_status")) is not None:
            self.change(user, Feature.DND, status == "do_not_disturb")
        for name, feature in _FORWARDS.items():
            for entry in body.get("presence_list", []):
                on = entry.get(f"enb_in_{name}_forward")
                if entry["status"] != "available" or on is None:
                    continue
                number = entry.get(f"in_{name}_forward_num")
                if not self.change(user, feature, bool(on), number):
                    return _said(60002, "FAILURE")
        return _said(0, "SUCCESS")

    def _shown(self, user: str) -> dict:
        states = self.states[user]
        status = "do_not_disturb" if states[Feature.DND].on else "available"
        # Every status has forwards of its own; only those of ``available`` are ours.
        lists = []
        for one in ("do_not_disturb", "available", "away"):
            entry: dict[str, object] = {"status": one, "information": ""}
            for name, feature in _FORWARDS.items():
                state, ours = states[feature], one == "available"
                entry[f"enb_in_{name}_forward"] = int(state.on) if ours else 1
                entry[f"in_{name}_forward_dest"] = "external_num" if state.number else "ext_vm"
                entry[f"in_{name}_forward_num"] = state.number if ours else "9999"
            lists.append(entry)
        return {"id": _id(user), "number": user, "presence_status": status, "presence_list": lists}


def _id(number: str) -> int:
    return 7 + 2 * int(number)


def _said(code: int, words: str, **more: object) -> Said:
    return Said(200, json.dumps({"errcode": code, "errmsg": words, **more}))
