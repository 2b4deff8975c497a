"""Xsi-Actions: a resource for each service, Basic credentials, elements in the order of the schema."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

from featuresync.sync.feature import Feature

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService

_NS = "http://schema.broadsoft.com/xsi"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_SERVICES = {
    "DoNotDisturb": Feature.DND,
    "CallForwardingAlways": Feature.CF_ALWAYS,
    "CallForwardingBusy": Feature.CF_BUSY,
    "CallForwardingNoAnswer": Feature.CF_NO_ANSWER,
}
_ORDER = {
    Feature.DND: ["active", "ringSplash"],
    Feature.CF_ALWAYS: ["active", "forwardToPhoneNumber", "ringSplash"],
    Feature.CF_BUSY: ["active", "forwardToPhoneNumber"],
    Feature.CF_NO_ANSWER: ["active", "forwardToPhoneNumber", "numberOfRings"],
}


class Xsi(HttpService):
    vendor, recipe, rings = "broadsoft", "xsi", True
    path = "/com.broadsoft.xsi-actions"

    @staticmethod
    def of_account(user: str) -> dict[str, str]:
        return {"id": f"{user}@as.example.net"}

    def answer(self, asked: Asked) -> Said:
        right = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {right}":
            return Said(401, headers={"WWW-Authenticate": 'Basic realm="xsi"'})
        where = re.fullmatch(rf"{self.path}/v2\.0/user/(\d+)%40as\.example\.net/services/(\w+)", asked.path)
        if where is None or where[1] not in USERS or where[2] not in _SERVICES:
            return _error(404, "The user or the service is not found")
        user, name = where[1], where[2]
        if asked.method == "GET":
            return Said(200, self._shown(user, name))
        if asked.headers.get("content-type") != "application/xml":
            return _error(415, "Unsupported media type")
        return self._put(user, name, asked.body)

    def _put(self, user: str, name: str, body: str) -> Said:
        root, feature = ElementTree.fromstring(body), _SERVICES[name]
        words = {child.tag.removeprefix(f"{{{_NS}}}"): child.text or "" for child in root}
        allowed = _ORDER[feature]
        empty = [child for child in root if not child.text and child.get(_NIL) != "true"]
        if empty or root.tag != f"{{{_NS}}}{name}" or [one for one in allowed if one in words] != list(words):
            return _error(400, "The document does not follow the schema")
        if self.temper == "fails":
            # Never seen without an error status; the recipe must not need one.
            return _error(200, "The service is not assigned")
        rings = words.get("numberOfRings")
        made = self.change(
            user, feature, words["active"] == "true", words.get("forwardToPhoneNumber"), rings and int(rings)
        )
        return Said(200) if made else _error(400, "A forwarding number is needed")

    def _shown(self, user: str, name: str) -> str:
        state = self.states[user][_SERVICES[name]]
        said = f"<active>{str(state.on).lower()}</active>"
        if state.number:
            said += f"<forwardToPhoneNumber>{state.number}</forwardToPhoneNumber>"
        if name == "CallForwardingNoAnswer":
            said += f"<numberOfRings>{state.rings or 3}</numberOfRings>"
        elif name != "CallForwardingBusy":
            said += "<ringSplash>false</ringSplash>"
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<{name} xmlns="{_NS}">{said}</{name}>'


def _error(status: int, summary: str) -> Said:
    return Said(status, f'<ErrorInfo xmlns="{_NS}"><summary>{summary}</summary></ErrorInfo>')
