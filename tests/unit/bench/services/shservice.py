"""The MetaView web service (Sh): SOAP with Basic credentials. The HTTP status is 200 whatever happened."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

from featuresync.sync.feature import Feature

from ..http_server import Asked, Said
from .service import PASSWORD, USERS, HttpService

_SH = "{http://www.metaswitch.com/srb/soap/sh}"
_USER = "{http://www.metaswitch.com/ems/soap/sh/userdata}"
_SERVICE = "{http://www.metaswitch.com/ems/soap/sh/servicedata}"
INDICATIONS = {
    "Meta_Subscriber_DoNotDisturb": Feature.DND,
    "Meta_Subscriber_UnconditionalCallForwarding": Feature.CF_ALWAYS,
    "Meta_Subscriber_BusyCallForwarding": Feature.CF_BUSY,
    "Meta_Subscriber_DelayedCallForwarding": Feature.CF_NO_ANSWER,
}


class ShService(HttpService):
    vendor, recipe = "metaswitch", "shservice"

    @staticmethod
    def of_account(user: str) -> dict[str, str]:
        return {"dn": f"555{user}"}

    def answer(self, asked: Asked) -> Said:
        right = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {right}":
            return Said(401, headers={"WWW-Authenticate": 'Basic realm="mvweb"'})
        if (asked.method, asked.path) != ("POST", "/mvweb/services/ShService"):
            return Said(404)
        if "soapaction" not in asked.headers or asked.headers.get("content-type") != "text/xml":
            return Said(500, "<Fault>no SOAPAction header</Fault>")
        body = ElementTree.fromstring(asked.body)[0]
        request = body[0]
        user = (request.findtext(f"{_SH}UserIdentity") or "").removeprefix("555")
        if request.findtext(f"{_SH}DataReference") != "0" or user not in USERS:
            return _result(_code(500, 5001, "User unknown"))
        if "ignoreSequenceNumber=true" not in (request.findtext(f"{_SH}OriginHost") or ""):
            return _result(_code(500, 5106, "Transparent data out of sync"))
        if request.tag == f"{_SH}ShPull":
            return self._pull(user, request.findtext(f"{_SH}ServiceIndication") or "")
        return self._update(user, request)

    def _update(self, user: str, request: ElementTree.Element) -> Said:
        data = request.find(f"{_SH}UserData/{_USER}Sh-Data/{_USER}RepositoryData")
        name = data.findtext(f"{_USER}ServiceIndication") or "" if data is not None else ""
        held = data.find(f"{_USER}ServiceData/{_SERVICE}MetaSwitchData/{_SERVICE}{name}") if name else None
        if held is None or [child.tag for child in held] not in (
            [f"{_SERVICE}Enabled"],
            [f"{_SERVICE}Enabled", f"{_SERVICE}Number"],
        ):
            return _result(_code(500, 5100, "The data is not what the schema says"))
        if self.temper == "fails":
            return _result(_code(500, 5112, "Not subscribed to the service"))
        on = held.findtext(f"{_SERVICE}Enabled") == "True"
        made = self.change(user, INDICATIONS[name], on, held.findtext(f"{_SERVICE}Number"))
        return _result(_code(100) if made else _code(500, 5113, "A number is needed"))

    def _pull(self, user: str, name: str) -> Said:
        if name not in INDICATIONS:
            return _result(_code(500, 5001, "Service unknown"))
        state = self.states[user][INDICATIONS[name]]
        # A list of callers stands behind DND; an element that begins with its name.
        more = f"<s:{name}_SCANumbersList/>" if state.feature is Feature.DND else ""
        said = (
            '<s:Subscribed Default="True"><s:UseDefault>False</s:UseDefault><s:Value>True</s:Value>'
            f"</s:Subscribed><s:Enabled>{state.on}</s:Enabled>"
        )
        if state.feature.is_forward:
            said += f"<s:Number>{state.number}</s:Number>"
        opened = f'<s:MetaSwitchData xmlns:s="{_SERVICE[1:-1]}">'
        data = f"{opened}{more}<s:{name}>{said}</s:{name}></s:MetaSwitchData>"
        return _result(_code(100) + f"<u:UserData xmlns:u='{_USER[1:-1]}'>{data}</u:UserData>")


def _code(code: int, sub: int = 0, detail: str = "") -> str:
    more = f"<SubResultCode>{sub}</SubResultCode><SubResultDetail>{detail}</SubResultDetail>" if sub else ""
    return f"<ExtendedResult><ExtendedResultCode>{code}</ExtendedResultCode>{more}</ExtendedResult>"


def _result(inside: str) -> Said:
    envelope = '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    return Said(200, f"{envelope}<Result>{inside}</Result></soapenv:Body></soapenv:Envelope>")
