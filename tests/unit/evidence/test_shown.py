"""The evidence files of a test: all there, and nothing secret in any of them."""

import json

from synthetic import judged, story

from featuresync.evidence.redaction import Redactor
from featuresync.evidence.shown import write_evidence

SECRET = "correct horse"


def test_every_kind_is_written_and_named(tmp_path):
    trace = story()
    found = write_evidence(tmp_path, "alpha/phone_side/dnd_on", trace, judged(trace), "", Redactor([]))
    assert set(found) == {"ladder", "capture", "admin", "state", "timings"}
    for path in found.values():
        assert path.startswith("evidence/alpha/phone_side/dnd_on/")
        assert (tmp_path / path).exists()
    assert (tmp_path / found["ladder"]).read_text(encoding="utf-8").startswith("<svg")
    assert (tmp_path / found["capture"]).read_bytes()[:4] == bytes.fromhex("0a0d0d0a")
    assert set(json.loads((tmp_path / found["timings"]).read_text(encoding="utf-8"))) == {"waits"}


def test_a_secret_typed_at_the_administration_is_overwritten(tmp_path):
    trace = story()
    found = write_evidence(
        tmp_path, "a/b", trace, judged(trace), f"$ login {SECRET}\nok\n", Redactor([SECRET])
    )
    said = (tmp_path / found["admin"]).read_text(encoding="utf-8")
    assert said == f"$ login {'x' * len(SECRET)}\nok\n"
