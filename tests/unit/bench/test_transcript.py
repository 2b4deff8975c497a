from featuresync.bench.transcript import Exchange, Transcript


def test_text_has_time_command_output_and_code():
    transcript = Transcript()
    transcript.add(Exchange(0.5, "show 1001", "dnd: true\n", "exit code 0"))
    transcript.add(Exchange(61.0, "stuck", "", "no exit code"))
    transcript.add(Exchange(62.0, "PUT /user/1\n<active/>", "", "204 No Content", sign=""))
    assert transcript.text() == (
        "1970-01-01T00:00:00.500+00:00 $ show 1001\ndnd: true\n[exit code 0]\n\n"
        "1970-01-01T00:01:01.000+00:00 $ stuck\n[no exit code]\n\n"
        "1970-01-01T00:01:02.000+00:00 PUT /user/1\n<active/>\n[204 No Content]\n"
    )
