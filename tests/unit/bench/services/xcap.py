"""The Ut interface: the XCAP document simservs, HTTP Digest. A rule that is not there cannot be deleted."""

from __future__ import annotations

import re
from hashlib import md5
from urllib.parse import unquote
from xml.etree import ElementTree

from featuresync.sync.feature import Feature

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService

_CP, _SS = "urn:ietf:params:xml:ns:common-policy", "http://uri.etsi.org/ngn/params/xml/simservs/xcap"
_RULES = {"cfu": Feature.CF_ALWAYS, "cfb": Feature.CF_BUSY, "cfnr": Feature.CF_NO_ANSWER}
_WHEN = {"cfu": None, "cfb": "busy", "cfnr": "no-answer"}
_NONCE, _REALM = "dcd98b7102dd2f0e8b11d0f600bfb0c0", "xcap.example.net"


class Xcap(HttpService):
    vendor, recipe = "huawei_ims", "xcap"
    features = tuple(_RULES.values())

    def __init__(self) -> None:
        super().__init__()
        self.rules: dict[str, dict[str, str]] = {user: {} for user in USERS}
        self.served = True
        """Whether communication diversion is active as a whole."""

    @staticmethod
    def of_account(user: str) -> dict[str, str]:
        return {"impu": f"sip:+1555{user}@ims.example.net"}

    def answer(self, asked: Asked) -> Said:
        if not _authorised(asked):
            challenge = f'Digest realm="{_REALM}", nonce="{_NONCE}", qop="auth", algorithm=MD5'
            return Said(401, headers={"WWW-Authenticate": challenge})
        path, _, node = unquote(asked.path).partition("/~~/")
        known = re.fullmatch(
            r"/simservs\.ngn\.etsi\.org/users/sip:\+1555(\w+)@ims\.example\.net/simservs\.xml", path
        )
        if known is None or known[1] not in USERS:
            return Said(404)
        if not node:
            return Said(200, self._document(known[1]))
        chosen = re.fullmatch(
            rf'simservs/communication-diversion/cp:ruleset/cp:rule\[@id="(\w+)"\]\?xmlns\(cp={_CP}\)', node
        )
        if chosen is None or chosen[1] not in _RULES:
            return Said(404)
        if self.temper == "fails":
            return Said(409, "<xcap-error><constraint-failure phrase='not provisioned'/></xcap-error>")
        return self._write(asked, known[1], chosen[1])

    def _write(self, asked: Asked, user: str, rule: str) -> Said:
        rules = self.rules[user] if self.temper != "silent" else dict(self.rules[user])
        if asked.method == "DELETE":
            if self.temper == "right" and rule not in rules:
                return Said(404)
            rules.pop(rule, None)
            state = (False, "")
        else:
            if asked.headers.get("content-type") != "application/xcap-el+xml":
                return Said(415)
            root = ElementTree.fromstring(asked.body)
            conditions = [child.tag for child in root.find(f"{{{_CP}}}conditions") or ()]
            on = f"{{{_SS}}}rule-deactivated" not in conditions
            when = [tag for tag in conditions if not tag.endswith("}rule-deactivated")]
            target = root.findtext(f"{{{_CP}}}actions/{{{_SS}}}forward-to/{{{_SS}}}target") or ""
            right = [f"{{{_SS}}}{_WHEN[rule]}"] if _WHEN[rule] else []
            if (root.tag, root.get("id"), when) != (f"{{{_CP}}}rule", rule, right):
                return Said(409, "<xcap-error><cannot-insert/></xcap-error>")
            if not re.fullmatch(r"(tel|sip):.+", target):
                return Said(409, "<xcap-error><schema-validation-error/></xcap-error>")
            rules[rule] = asked.body
            state = (on, target.removeprefix("tel:"))
        self.change(user, _RULES[rule], *state)
        return Said(200)

    def _document(self, user: str) -> str:
        # As a server writes it: an empty element is one tag.
        rules = "".join(self.rules[user].values())
        rules = rules.replace("<cp:conditions></cp:conditions>", "<cp:conditions/>")
        served = str(self.served).lower()
        return (
            f'<?xml version="1.0"?><simservs xmlns="{_SS}" xmlns:cp="{_CP}"><communication-diversion '
            f'active="{served}"><NoReplyTimer>20</NoReplyTimer><cp:ruleset>{rules}</cp:ruleset>'
            "</communication-diversion></simservs>"
        )


class ZteXcap(Xcap):
    vendor = "zte_ims"


def _authorised(asked: Asked) -> bool:
    """RFC 7616 with MD5 and qop=auth."""
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', asked.headers.get("authorization", "").partition(" ")[2]))
    if said.get("nonce") != _NONCE or unquote(said.get("uri", "")) != unquote(asked.path):
        return False
    first = _md5(f"admin:{_REALM}:{PASSWORD}")
    second = _md5(f"{asked.method}:{asked.path}")
    middle = f"{_NONCE}:{said['nc']}:{said['cnonce']}:{said['qop']}"
    return said["username"] == "admin" and said["response"] == _md5(f"{first}:{middle}:{second}")


def _md5(text: str) -> str:
    return md5(text.encode()).hexdigest()
