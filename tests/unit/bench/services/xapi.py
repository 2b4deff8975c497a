"""XAPI: OData with a bearer token. Some writes are accepted with 200 and change nothing."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, unquote

from featuresync.sync.feature import Feature

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService

_PROFILES = {True: "Out of office", False: "Available"}


class Xapi(HttpService):
    vendor, recipe = "threecx", "xapi"
    features = (Feature.DND,)

    def __init__(self) -> None:
        super().__init__()
        self.secrets = {"client_id": "featuresync-client", "client_secret": PASSWORD}
        self.tokens: list[str] = []
        self.status: dict[str, str] = {}
        """A status of another name than the recipe knows, by user."""

    def forget(self) -> None:
        self.tokens.clear()

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/connect/token":
            return self._log_in(asked.body)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Said(401)
        path = unquote(asked.path)
        if found := re.fullmatch(r"/xapi/v1/Users\?\$filter=Number eq '(\w+)'&\$select=Id", path):
            known = [{"Id": _id(found[1])}] if found[1] in USERS else []
            return _json({"@odata.context": "/xapi/v1/$metadata#Users(Id)", "value": known})
        one = re.fullmatch(r"/xapi/v1/Users\((\d+)\)(\?\$select=CurrentProfileName)?", path)
        user = {_id(user): user for user in USERS}.get(int(one[1])) if one else None
        if user is None:
            return Said(404)
        if asked.method == "GET":
            name = self.status.get(user) or _PROFILES[self.states[user][Feature.DND].on]
            return _json({"CurrentProfileName": name})
        return self._patch(user, json.loads(asked.body))

    def _log_in(self, body: str) -> Said:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        wanted = {"grant_type": "client_credentials", **self.secrets}
        if form != wanted:
            return Said(400, '{"error":"invalid_client"}')
        self.tokens.append(f"eyJhbGciOi.{len(self.tokens)}23456789.x_y-z")
        token = {"token_type": "Bearer", "expires_in": 60, "access_token": self.tokens[-1]}
        return _json(token | {"refresh_token": None})

    def _patch(self, user: str, body: dict[str, str]) -> Said:
        name = body.get("CurrentProfileName")
        if self.temper == "fails" or name not in _PROFILES.values():
            return Said(400, '{"error":{"message":"the profile cannot be chosen"}}')
        self.change(user, Feature.DND, name == _PROFILES[True])
        return Said(200 if self.temper == "silent" else 204)


def _id(user: str) -> int:
    return 20 + int(user)


def _json(body: object) -> Said:
    return Said(200, json.dumps(body), {"Content-Type": "application/json"})
