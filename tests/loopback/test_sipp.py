"""An independent program as the peer: SIPp plays the notifier for our phone, on loopback."""

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from featuresync.agent.phone import Line, Phone
from featuresync.errors import BenchFault
from featuresync.library.session import token
from featuresync.net.reactor import Reactor, Way
from featuresync.sync.feature import Feature, FeatureState

SCENARIO = Path(__file__).with_name("notifier.xml")
SERVER = "127.3.0.1"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((SERVER, 0))
        return probe.getsockname()[1]


@pytest.mark.skipif(
    not shutil.which("sipp") and not os.environ.get("CI"),
    reason="SIPp is not on this machine (apt install sip-tester)",
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_as_notifier(transport, tmp_path):
    port = free_port()
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    words = ["sipp", "-sf", str(SCENARIO), "-i", SERVER, "-p", str(port), "-t", mode, "-m", "1", "-nostdin"]
    words += ["-timeout", "20", "-timeout_error", "-trace_err", "-error_file", str(tmp_path / "errors.txt")]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sipp:
        try:
            with Reactor() as reactor:
                told = conversation(reactor, transport, port)
            assert told == [False, True]
            assert sipp.wait(20) == 0, (tmp_path / "errors.txt").read_text()
        finally:
            sipp.kill()


def conversation(reactor: Reactor, transport: str, port: int) -> list[bool]:
    """Subscribe, press DND, and what the phone was told of DND."""
    phone = Phone(Line("1001", "unused", SERVER, feature_sync=True), token)
    way = Way(transport, "127.3.0.2", (SERVER, port))
    endpoint, flow = open_when_there(reactor, phone, way)
    reactor.call(endpoint, lambda: phone.plug(flow))
    reactor.call(endpoint, lambda: phone.subscribe(reactor.clock()))
    assert reactor.wait(endpoint, lambda: phone.told, 10), "no first NOTIFY"
    reactor.call(endpoint, lambda: phone.press(FeatureState(Feature.DND, True), reactor.clock()))
    assert reactor.wait(endpoint, lambda: len(phone.told) == 2, 10), "no confirming NOTIFY"
    told = [one.states[Feature.DND].on for one in phone.told]
    reactor.close(endpoint)
    return told


def open_when_there(reactor: Reactor, phone: Phone, way: Way):
    """SIPp needs a moment to listen; UDP requests are repeated anyway, a TCP connection is tried again."""
    for _ in range(100):
        try:
            return reactor.open(phone, way, lambda *_: None, 2)
        except BenchFault:
            threading.Event().wait(0.05)
    return reactor.open(phone, way, lambda *_: None, 2)
