from featuresync.bench.transcript import Exchange, Transcript, overwrite


def test_text_has_time_command_output_and_code():
    transcript = Transcript()
    transcript.add(Exchange(0.5, "show 1001", 0, "dnd: true\n"))
    transcript.add(Exchange(61.0, "stuck", None, ""))
    assert transcript.text() == (
        "1970-01-01T00:00:00.500+00:00 $ show 1001\ndnd: true\n[exit code 0]\n\n"
        "1970-01-01T00:01:01.000+00:00 $ stuck\n[no exit code]\n"
    )


def test_secrets_keep_their_length_and_the_longest_goes_first():
    assert overwrite("pw pw1001 é", ["pw", "pw1001", "", "é"]) == "xx xxxxxx x"


def test_a_transcript_is_redacted():
    transcript = Transcript([Exchange(0.0, "login hunter2", 0, "hunter2 ok")])
    assert "hunter2" not in transcript.text(["hunter2"])
    assert transcript.text(["hunter2"]).count("xxxxxxx") == 2
