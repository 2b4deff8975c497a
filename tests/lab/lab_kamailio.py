"""The state of the lab's Kamailio as its administration sees it, its NOTIFYs in short, and phones to call."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lab_phone import Phone

from featuresync.bench.lab import Lab
from featuresync.sip.message import Message


def kamcmd(lab: Lab, *words: str) -> str:
    return lab.tree.output("usr/sbin/kamcmd", "-s", f"unix:{lab.run / 'ctl'}", *words)


def flip(lab: Lab, entry: str, value: str) -> None:
    """As the recipe does it, without SSH."""
    kamcmd(lab, "htable.sets", "st", entry, f"s:{value}")
    kamcmd(lab, "htable.sets", "push", entry, "now")


def stored(lab: Lab) -> dict[str, str]:
    """Every entry of the state, by name: ``1001::forwardBusy`` is ``true/3/1003``."""
    return dict(re.findall(r"name: (\S+)\n\s*value: (\S*)", kamcmd(lab, "htable.dump", "st")))


def said(message: Message) -> list[str]:
    """Each document of a NOTIFY in short: ``dnd=true``, ``forwardBusy=true,1003``, with rings at the end."""
    found = []
    for document in re.findall(
        r"<(?:DoNotDisturb|Forwarding)Event.*?</\w+Event>", message.body.decode(), re.DOTALL
    ):
        value = dict(re.findall(r"<(\w+)>([^<]*)<", document))
        if "doNotDisturbOn" in value:
            found.append(f"dnd={value['doNotDisturbOn']}")
        else:
            rest = [value[name] for name in ("forwardStatus", "forwardTo", "ringCount") if name in value]
            found.append(f"{value['forwardingType']}={','.join(rest)}")
    return found


@contextmanager
def phones(lab: Lab, answering: dict[str, int]) -> Iterator[dict[str, Phone]]:
    """Registered phones by number, each answering calls with its status (180: it just rings) meanwhile."""
    found = {}
    stop = threading.Event()

    def serve(phone: Phone) -> None:
        while not stop.is_set():
            phone.take(0.02)

    for user, status in answering.items():
        phone = found[user] = Phone(lab.bench)
        phone.user, phone.secret, phone.answering = user, lab.password(user), status
        assert phone.request("REGISTER", headers="Expires: 60\r\n").status == 200
    threads = [threading.Thread(target=serve, args=(phone,)) for phone in found.values()]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for phone in found.values():
            phone.renew()
            assert phone.request("REGISTER", headers="Expires: 0\r\n").status == 200
            phone.__exit__()


def methods(phone: Phone) -> list[str]:
    """What came to the phone, without what came again."""
    return list(dict.fromkeys(one.method for one in phone.requests))
