from featuresync.bench.transcript import Exchange, Transcript


def test_text_has_time_command_output_and_code():
    transcript = Transcript()
    transcript.add(Exchange(0.5, "show 1001", 0, "dnd: true\n"))
    transcript.add(Exchange(61.0, "stuck", None, ""))
    assert transcript.text() == (
        "1970-01-01T00:00:00.500+00:00 $ show 1001\ndnd: true\n[exit code 0]\n\n"
        "1970-01-01T00:01:01.000+00:00 $ stuck\n[no exit code]\n"
    )
