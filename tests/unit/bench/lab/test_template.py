import pytest

from featuresync.bench.lab.template import render
from featuresync.errors import ConfigFault


def test_words_are_replaced_and_nothing_else(tmp_path):
    file = tmp_path / "t.in"
    file.write_text("listen=@IP@:@PORT@ sip:$u@@IP@ a@b @lower@ @")
    assert (
        render(file, {"IP": "127.0.0.1", "PORT": "5060"})
        == "listen=127.0.0.1:5060 sip:$u@127.0.0.1 a@b @lower@ @"
    )


def test_a_word_without_a_value_is_named(tmp_path):
    file = tmp_path / "t.in"
    file.write_text("@IPP@")
    with pytest.raises(ConfigFault, match=r"t\.in: @IPP@: expected one of IP, got IPP"):
        render(file, {"IP": "x"})


def test_a_missing_template(tmp_path):
    with pytest.raises(ConfigFault, match="a readable template"):
        render(tmp_path / "none.in", {})
