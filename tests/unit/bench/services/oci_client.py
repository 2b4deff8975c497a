"""Stands in for the server's demonstration client: ``LOGIN PASSWORD -i FILE -o FILE -h -p -c``.

The states are in ``states.json`` of the current folder. Like the real one it writes everything that it
sends, the password included, to its standard output, and no answer when the login fails.
"""

import json
import sys
from html import escape
from pathlib import Path
from xml.etree import ElementTree

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
NAMES = {
    "UserDoNotDisturb": "dnd",
    "UserCallForwardingAlways": "cf_always",
    "UserCallForwardingBusy": "cf_busy",
    "UserCallForwardingNoAnswer": "cf_no_answer",
}
ORDER = ["userId", "isActive", "forwardToPhoneNumber", "numberOfRings", "ringSplash"]
STATES = Path("states.json")


def command(kind: str, inside: str) -> str:
    error = ' type="Error"' if kind == "c:ErrorResponse" else ""
    return f'<command{error} echo="" xsi:type="{kind}" xmlns="">{inside}</command>'


def refused(why: str) -> str:
    return command("c:ErrorResponse", f"<summary>{why}</summary><summaryEnglish>{why}</summaryEnglish>")


def carried_out(kept: dict, request: ElementTree.Element) -> str:
    kind = request.attrib[TYPE]
    said = {child.tag: child.text or "" for child in request}
    empty = [child for child in request if not child.text and child.get(NIL) != "true"]
    user, found, at = said["userId"].partition("@")
    name = kind.split("Get")[0].split("Modify")[0]
    if (found, at) != ("@", "as.example.net") or user not in kept["states"]:
        return refused(f"[Error 4008] User not found: {escape(said['userId'])}")
    if empty or name not in NAMES or [one for one in ORDER if one in said] != list(said):
        return refused("[Error 0] cvc-complex-type: invalid content")
    state = kept["states"][user][NAMES[name]]
    if "Get" in kind:
        if kind == "UserCallForwardingNoAnswerGetRequest":
            return refused("[Error 0] no such request in this release")
        inside = f"<isActive>{str(state['on']).lower()}</isActive>"
        if state["number"]:
            inside += f"<forwardToPhoneNumber>{state['number']}</forwardToPhoneNumber>"
        if name == "UserCallForwardingNoAnswer":
            inside += f"<numberOfRings>{state['rings'] or 3}</numberOfRings>"
        return command(kind.replace("Request", "Response"), inside)
    if kept["temper"] == "fails":
        return refused("[Error 4410] The service is not assigned")
    new = dict(state, on=said["isActive"] == "true", number=said.get("forwardToPhoneNumber", state["number"]))
    new["rings"] = int(said["numberOfRings"]) if "numberOfRings" in said else state["rings"]
    if new["on"] and not new["number"] and NAMES[name] != "dnd":
        return refused("[Error 4407] A forwarding number is needed")
    if kept["temper"] == "right":
        state.update(new)
    return command("c:SuccessResponse", "")


def main() -> None:
    login, password, *words = sys.argv[1:]
    options = dict(zip(words[::2], words[1::2], strict=True))
    kept = json.loads(STATES.read_text())
    print("**** OCI Client Build Version: 1.1.2 ****\n**** Sending request")
    print(f"<userId>{escape(login)}</userId><password>{escape(password)}</password>")
    if [options["-h"], options["-p"], options["-c"]] != ["192.0.2.1", "2208", "OCS"]:
        sys.exit("no connection")
    if [login, password] != ["admin", kept["password"]]:
        print(refused("[Error 4962] Invalid password"))
        return
    root = ElementTree.parse(options["-i"]).getroot()
    assert root.tag == "{C}BroadsoftDocument"
    assert root.findtext("sessionId") == "%%%OCI_SESSION_ID%%%"
    said = "".join(carried_out(kept, one) for one in root.findall("command"))
    STATES.write_text(json.dumps(kept))
    Path(options["-o"]).write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<BroadsoftDocument protocol="OCI" xmlns="C" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{said}</BroadsoftDocument>\n'
    )


if __name__ == "__main__":
    main()
