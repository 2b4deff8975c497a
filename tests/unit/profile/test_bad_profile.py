"""Every mistake in a profile: one line that a user can act on."""

import pytest

from featuresync.profile import load_profile

ON = '"*71{number}"'
DND_CODES = """[features.dnd.codes]
on = { value = "*74", source = "guide", sure = "document" }
off = { value = "*074", source = "guide", sure = "document" }
"""
SOURCES = "guide, site"
READ = 'read = [{ path = "/get?id={account}" }]'
PRESENT = "present = 'dnd'\n"
SHAPE = "a feature code of 0-9 A-D * # + and at most one {number}"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'phone_side = { value = "feature-code"',
            'phone_side = { value = "feature-codes"',
            "features.dnd.phone_side.value: expected one of "
            "'as-feature-event', 'feature-code', 'uacsta' or 'none', got 'feature-codes'",
        ),
        (
            'phone_side = { value = "feature-code", source = "guide", sure = "document" }',
            'phone_side = "feature-code"',
            "features.dnd.phone_side: expected a table { value, source, sure }, got 'feature-code'",
        ),
        (
            'server_side = { value = "none"',
            'server_side = { value = "feature-code"',
            "features.dnd.server_side.value: expected one of 'as-feature-event', 'uacsta', 'none', "
            "got 'feature-code'",
        ),
        (
            "[features.dnd]",
            "[features.dnb]",
            "features.dnb: expected one of 'dnd', 'cf_always', 'cf_busy' or 'cf_no_answer', got 'dnb'",
        ),
    ],
)
def test_mechanisms_and_features(line_of, old, new, line):
    assert line_of("one.toml", old, new, load_profile) == f"one.toml: {line}"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (ON, '"*71"', "features.cf_always.codes.on: expected a code with {number}, got '*71'"),
        (
            '"*071"',
            '"*071{number}"',
            "features.cf_always.codes.off: expected a code without {number}, got '*071{number}'",
        ),
        (
            '"*74"',
            '"*74{number}"',
            "features.dnd.codes.on: expected a code without {number}, got '*74{number}'",
        ),
        (
            '"*72{number}"',
            ON,
            "features.cf_busy.codes.on: expected a code of its own, got '*71{number}', "
            "which features.cf_always.codes.on has too",
        ),
        ('"*74"', '"*7 4"', f"features.dnd.codes.on.value: expected {SHAPE}, got '*7 4'"),
        (ON, '"*71{target}"', f"features.cf_always.codes.on.value: expected {SHAPE}, got '*71{{target}}'"),
        ('"*74"', "74", "features.dnd.codes.on.value: expected text in quotes, got 74"),
        ('"*74"', '""', "features.dnd.codes.on.value: expected text, at least 1 long, got ''"),
        (
            '"*74"',
            f'"{"1" * 41}"',
            f"features.dnd.codes.on.value: expected text, at most 40 long, got '{'1' * 41}'",
        ),
        ('"*74"', "*74", "syntax: expected valid TOML, got Invalid value (at line 18, column 16)"),
        (
            DND_CODES,
            "",
            "features.dnd.codes: expected a table, as phone_side is feature-code, got nothing",
        ),
    ],
)  # fmt: skip
def test_codes(line_of, old, new, line):
    assert line_of("one.toml", old, new, load_profile) == f"one.toml: {line}"


def test_codes_without_a_call(line_of, tmp_path):
    def without_call(file):
        text = file.read_text(encoding="utf-8")
        file.write_text(text[: text.index("[call]")] + text[text.index("[lab]") :], encoding="utf-8")
        load_profile(file)

    said = line_of("one.toml", "[call]", "[call]", without_call)
    assert said == "one.toml: call: expected a table, as features.dnd has codes, got nothing"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'source = "site"',
            'source = "sight"',
            f"expect.challenge.source: expected one of [sources] ({SOURCES}), got 'sight'",
        ),
        (
            'sure = "inferred"',
            'sure = "guess"',
            "expect.challenge.sure: expected one of 'document', 'code', 'wire', 'secondary', 'measured', "
            "'inferred' or 'memory', got 'guess'",
        ),
        ("\nchall", "\nchal", "expect.chalenge: expected a known key, got an unknown one (spelling?)"),
        # A misspelt key is told, not that the right one is missing.
        ("[sources]", "[source]", "source: expected a known key, got an unknown one (spelling?)"),
        ('name = "one"\n', "", "vendor.name: expected a value, got nothing"),
        ('"one"', '"oen"', "vendor.name: expected the file's name, 'one', got 'oen'"),
        (
            '"one"',
            '"One"',
            "vendor.name: expected a name of a-z 0-9 _ that begins with a letter, got 'One'",
        ),
        ('families = ["FC", "EF"]', 'families = "FC"', "vendor.families: expected a list in [ ], got 'FC'"),
        (
            'challenge = { value = true',
            'challenge = { value = "perhaps"',
            "expect.challenge.value: expected true or false, got 'perhaps'",
        ),
        ("30.0", "0", "call.cap.value: expected more than 0, got 0"),
        ("30.0", '"long"', "call.cap.value: expected a number, got 'long'"),
        ("0.25", "61", "call.gap.value: expected at most 60, got 61"),
        (
            "quirks = [",
            'deviation = [{ requirement = "so", reason = "long enough" }]\nquirks = [',
            "deviation.0.requirement: expected the id of a requirement, such as NO-04, got 'so'",
        ),
    ],
)  # fmt: skip
def test_facts(line_of, old, new, line):
    assert line_of("one.toml", old, new, load_profile) == f"one.toml: {line}"


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ("[99, 404]", ".0: expected at least 200, got 99"),
        ("[403, 700]", ".1: expected at most 699, got 700"),
        ("[403.5]", ".0: expected a whole number, got 403.5"),
        ("403", ": expected a list in [ ], got 403"),
    ],
)
def test_status_codes(line_of, new, line):
    said = line_of("one.toml", "[403, 404]", new, load_profile)
    assert said == f"one.toml: call.final_early.value{line}"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (READ, 'read = ["show"]', "read.0: expected a request, as kind is http, got a command"),
        (READ, "read = [7]", "read.0: expected a command or a request, got 7"),
        (READ, 'read = "show"', "read: expected a list in [ ], got 'show'"),
        (READ, "read = []", "read: expected a list of at least 1, got []"),
        (
            READ,
            'read = [{ paht = "/show" }]',
            "read.0.paht: expected a known key, got an unknown one (spelling?)",
        ),
        (
            READ,
            'read = [{ path = "/show", method = "GRAB" }]',
            "read.0.method: expected one of 'GET', 'POST', 'PUT', 'PATCH' or 'DELETE', got 'GRAB'",
        ),
        (
            'kind = "http"',
            'kind = "telnet"',
            "kind: expected one of 'ssh-exec', 'ssh-shell' or 'http', got 'telnet'",
        ),
        ('kind = "http"', 'kind = "ssh-shell"', "shell: expected a table, as kind is ssh-shell, got nothing"),
        (
            'kind = "http"',
            'kind = "ssh-exec"',
            "login: expected nothing, as it is for kind http, got kind ssh-exec",
        ),
        (
            PRESENT,
            f"on = '(?P<on>x)'\n{PRESENT}",
            "features.dnd.on: expected exactly one of on and present, got both",
        ),
        (PRESENT, "", "features.dnd.on: expected exactly one of on and present, got neither"),
        (
            PRESENT,
            "present = '(x'\n",
            "features.dnd.present: expected a regular expression, "
            "got '(x' (missing ), unterminated subpattern at position 0)",
        ),
        ('words = ["1", "0"]', 'words = ["1"]', "words.1: expected a value, got nothing"),
        (
            'words = ["1", "0"]',
            'words = ["1", "0", "2"]',
            "words: expected a list of at most 2, got ['1', '0', '2']",
        ),
    ],
)
def test_recipes(line_of, old, new, line):
    said = line_of("one.toml", old, new, load_profile)
    assert said == f"one.toml: recipes.api.{line}"
