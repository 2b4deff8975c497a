"""Exported configurations as they come: the three forms, and what is none of them."""

import pytest

from featuresync.agent.phone_export import MAX_SIZE, Setting, read_settings
from featuresync.errors import ConfigFault

INDEX = {"line": "SIP", "port": "P"}
GUIDE = "--SIP Line List-- :\nSIP1 Feature Sync :0\n"
XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<sysConf>
  <sip>
    <SIPPort>5060</SIPPort>
    <line index="1">
      <FeatureSync>1</FeatureSync>
    </line>
  </sip>
</sysConf>
"""
PLAIN = "expected one plain XML document, got "
NEITHER = "expected 'NAME :VALUE' or 'NAME = VALUE', got neither"


def read(tmp_path, text):
    file = tmp_path / "phone.cfg"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_settings(file, INDEX)


def fault(tmp_path, text):
    """What is said of a file, without its name."""
    with pytest.raises(ConfigFault) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'phone.cfg'}: ")
    assert "s3cret" not in said
    return said.removeprefix(f"{tmp_path / 'phone.cfg'}: ")


def test_text_with_sections(tmp_path):
    text = (
        "<<VOIP CONFIG FILE>>Version:2.0\n<SIP CONFIG MODULE>\n--SIP Line List--\n"
        "SIP1 Name  : a:b=c \n\n<<END OF FILE>>"
    )
    assert read(tmp_path, text) == [Setting(4, "SIP1 Name", "a:b=c")]
    assert read(tmp_path, "<SIP CONFIG MODULE>\nSIP1 Name :a") == [Setting(2, "SIP1 Name", "a")]
    assert read(tmp_path, GUIDE) == [Setting(2, "SIP1 Feature Sync", "0")]


def test_keys_and_values(tmp_path):
    text = "#!version:1.0.0.1\n# a = b\naccount.1.url = sip:a@b\naccount.1.code =#21#\n"
    assert read(tmp_path, text) == [
        Setting(3, "account.1.url", "sip:a@b"),
        Setting(4, "account.1.code", "#21#"),
    ]


def test_xml(tmp_path):
    assert read(tmp_path, XML) == [Setting(4, "SIPPort", "5060"), Setting(6, "SIP1 FeatureSync", "1")]
    text = (
        "<a>\n<b><ID>SIP2</ID><c> 1 </c>\n<d/></b>"
        '<port index="1"><e>2</e></port><f index="3"><g>3</g></f></a>'
    )
    assert read(tmp_path, text) == [
        Setting(2, "SIP2 c", "1"),
        Setting(3, "SIP2 d", ""),
        Setting(3, "P1 e", "2"),
        Setting(3, "g", "3"),
    ]
    assert read(tmp_path, '<a><item name="account.1.code">*78</item></a>') == [
        Setting(1, "account.1.code", "*78")
    ]


def test_names_are_printable_and_short(tmp_path):
    text = '<a>\n<item name="a&#x9b;2J&#x2028;b\u200e">1</item></a>'
    assert read(tmp_path, text) == [Setting(2, "a?2J b?", "1")]
    assert read(tmp_path, f"{'n' * 1000} :1") == [Setting(1, "n" * 80, "1")]


def test_byte_order_mark_and_carriage_returns(tmp_path):
    mark = b"\xef\xbb\xbf"
    assert read(tmp_path, mark + GUIDE.replace("\n", "\r\n").encode()) == read(tmp_path, GUIDE)
    assert read(tmp_path, mark + XML.encode()) == read(tmp_path, XML)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "SIP1 Feature Sync :0\nSIP1 Register Pswd s3cret",
            f"line 2: {NEITHER}",
        ),
        (":1", f"line 1: {NEITHER}"),
        (b"a :1\nb :\xff\n", "line 2: expected text in UTF-8, got byte 0xff"),
        (GUIDE.encode("utf-16"), "line 1: expected text in UTF-8, got byte 0xff"),
        (b"a :1\nb :x\x00y\n", "line 2: expected text, got control character 0x00"),
        (b"\x7fELF\x02\x01\x01\x00", "line 1: expected text, got control character 0x7f"),
        ("a :1\nb\x1b[2J :1\n", "line 2: expected text, got control character 0x1b"),
        ("a :\x9b2J\n", "line 1: expected text, got control character 0x9b"),
        ("--SIP Line List\n", f"line 1: {NEITHER}"),
    ],
)
def test_text_that_is_refused(tmp_path, text, said):
    assert fault(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            XML.replace("</FeatureSync>", "</Feature>"),
            f"line 6: {PLAIN}not well-formed XML: mismatched tag: line 6, column 22",
        ),
        (
            XML[: XML.index("<FeatureSync>")],
            f"line 6: {PLAIN}not well-formed XML: no element found: line 6, column 6",
        ),
        (
            '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "1">]>\n'
            '<a><line index="1"><FeatureSync>&x;</FeatureSync></line></a>',
            f"line 2: {PLAIN}a document type declaration",
        ),
        (
            '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">\n<a/>',
            f"line 1: {PLAIN}a document type declaration",
        ),
        (
            "<a>\n<?run this?></a>",
            f"line 2: {PLAIN}a processing instruction 'run'",
        ),
        ("<a/>\ns3cret", f"line 2: {PLAIN}after the root element"),
        ("<a/>\n<b/>", "file: expected one XML document, got 2 of them"),
        (
            b"<a>\n<b>\xff</b></a>",
            f"line 2: {PLAIN}not well-formed XML: not well-formed (invalid token): line 2, column 3",
        ),
        (
            "<a>" * 17 + "</a>" * 17,
            f"line 1: {PLAIN}elements nested more than 16 deep",
        ),
    ],
)
def test_xml_that_is_refused(tmp_path, text, said):
    assert fault(tmp_path, text) == said


def test_a_file_that_is_too_long(tmp_path):
    said = f"file: expected a phone configuration of at most {MAX_SIZE} bytes, got more"
    assert fault(tmp_path, b"a :1\n" * (MAX_SIZE // 5 + 1)) == said
    assert read(tmp_path, b"a :1\n" * (MAX_SIZE // 5)) == [
        Setting(n, "a", "1") for n in range(1, MAX_SIZE // 5 + 1)
    ]


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigFault, match="a readable phone configuration, got No such file"):
        read_settings(tmp_path / "none.cfg", INDEX)
    with pytest.raises(ConfigFault, match="a readable phone configuration, got Is a directory"):
        read_settings(tmp_path, INDEX)
