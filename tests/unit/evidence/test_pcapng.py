"""The capture, read back by tshark: an independent reader."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from synthetic import SECRET, T0, V4, V6, request

from featuresync.evidence.pcapng import write
from featuresync.evidence.redaction import Redactor
from featuresync.judge.trace import Setting, Trace, Wire

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
FIELDS = (
    "frame.time_epoch sip.Method sip.Status-Code sip.CSeq.seq udp.dstport tcp.dstport exported_pdu.dst_port "
    "frame.comment _ws.expert.message frame.protocols frame.interface_name"
).split()


def tshark(file: Path, *options: str) -> str:
    command = ["tshark", "-n", "-r", str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(file: Path) -> list[dict[str, str]]:
    options = [part for field in FIELDS for part in ("-e", field)]
    checks = [
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
    ]
    text = tshark(file, "-T", "fields", "-E", "separator=/t", *checks, *options)
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in text.splitlines()]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("places", [V4, V6], ids=["IPv4", "IPv6"])
def test_every_packet_is_the_sip_message_of_the_trace(tell, judge, tmp_path, transport, places):
    trace = tell(transport, places)
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, judge(trace), Redactor(())))
    wires = list(trace.of(Wire))
    found = rows(file)
    assert len(found) == len(wires)
    for row, wire in zip(found, wires, strict=True):
        message = wire.message
        assert row["sip.Method"] == (message.method if message.is_request else "")
        assert row["sip.Status-Code"] == (str(message.status) if message.status else "")
        assert row["sip.CSeq.seq"] == str(message.cseq)
        assert float(row["frame.time_epoch"]) == pytest.approx(wire.time, abs=1e-6)
        port = {"udp": "udp.dstport", "tcp": "tcp.dstport", "tls": "exported_pdu.dst_port"}[transport]
        assert row[port] == str((wire.remote if wire.sent else wire.local)[1])
        # tshark repeats packet comments as expert messages; there must be no other.
        assert row["_ws.expert.message"] == row["frame.comment"]
        assert "malformed" not in row["frame.protocols"]
        assert row["frame.interface_name"] == transport


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_body_is_intact_on_ports_that_are_not_of_sip(tell, tmp_path, transport):
    trace = tell(transport, (("10.1.1.1", 31337), ("10.1.1.2", 31338), ("10.1.1.3", 15061)))
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, (), Redactor(())))
    xml = ("-d", "media_type==application/x-as-feature-event+xml,xml")
    tags = tshark(file, *xml, "-Y", "xml", "-T", "fields", "-e", "sip.Method", "-e", "xml.cdata")
    said = [line for line in tags.splitlines() if line.startswith("NOTIFY")]
    assert said == ["NOTIFY\t1001,true"]


def test_plaintext_on_the_tls_port_is_read_as_sip(tell, tmp_path):
    trace = tell("tls", (("10.1.1.1", 31337), ("10.1.1.2", 31338), ("10.1.1.3", 5061)))
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, (), Redactor(())))
    assert [row["sip.Method"] for row in rows(file)][:1] == ["SUBSCRIBE"]
    assert all("TLS" in row["frame.comment"] for row in rows(file))


def test_judged_packets_carry_the_requirement(tell, judge, tmp_path):
    trace = tell()
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, judge(trace), Redactor(())))
    commented = [row["frame.comment"] for row in rows(file) if row["frame.comment"]]
    assert commented == [
        "ST-01 pass",
        "NO-04 fail: expected Subscription-State in every NOTIFY; seen no Subscription-State header,"
        "BD-05 deviation: expected a body; seen no body",
    ]


def test_names_of_the_actors_are_in_the_file(tell, tmp_path):
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(tell(), (), Redactor(())))
    line = subprocess.run(
        ["tshark", "-N", "n", "-r", str(file), "-c", "1", "-T", "fields",
         "-e", "ip.src_host", "-e", "ip.dst_host"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert line.stdout.split() == ["phone-A", "server"]


def test_an_address_two_roles_share_gets_no_name(tell):
    assert b"phone-A\0" not in write(tell("udp", V6), (), Redactor(()))


def test_secrets_are_overwritten_and_the_message_still_decodes(tmp_path):
    trace = Trace(Setting(frozenset(), (), {}))
    data = request("SUBSCRIBE", 1, ("X-Note", f"pass {SECRET}"))
    trace.add(Wire(T0, "phone A", True, "udp", V4[0], V4[2], data))
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, (), Redactor([SECRET])))
    assert SECRET.encode() not in file.read_bytes()
    assert rows(file)[0]["sip.Method"] == "SUBSCRIBE"


def test_a_long_tcp_message_is_cut_into_segments_and_put_together_again(tmp_path):
    trace = Trace(Setting(frozenset(), (), {}))
    trace.add(Wire(T0, "phone A", False, "tcp", V4[0], V4[2], request("NOTIFY", 1, body="x" * 150_000)))
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, (), Redactor(())))
    assert [row["sip.Method"] for row in rows(file)] == ["", "", "NOTIFY"]


def test_whatever_the_trace_holds_the_file_can_be_read(tmp_path):
    trace = Trace(Setting(frozenset(), (), {}))
    for transport in ("udp", "tcp", "tls", "unheard-of"):
        for data in (b"", b"\r\n\r\n", b"\xff\0" * 40_000):
            for host in ("pbx.example", "::ffff:10.0.0.1", "fe80::1%eth0"):
                local, remote = (host, 70_000), ("10.0.0.2", 5060)
                trace.add(Wire(T0, "Ämne \x00", False, transport, local, remote, data))
    file = tmp_path / "wire.pcapng"
    file.write_bytes(write(trace, (), Redactor(())))
    # 6 of the 36 messages are longer than one TCP segment.
    numbers = tshark(file, "-T", "fields", "-e", "frame.number").split()
    assert len(numbers) == 36 + 3
