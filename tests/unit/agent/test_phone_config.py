"""What is made of a phone's configuration: which settings are taken, and what they mean."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.agent.phone_config import Taken, describe, read_phone_config
from featuresync.agent.phone_settings import catalogue
from featuresync.errors import ConfigFault
from featuresync.sync.feature import Feature
from featuresync.sync.feature_code import FeatureCodes

GUIDE = "--SIP Line List-- :\nSIP1 Feature Sync :0\n"

TEXT = """\
<<VOIP CONFIG FILE>>Version:2.0000000000

<SIP CONFIG MODULE>
SIP  Port          :5060
--SIP Line List--  :
SIP1 Register Pswd      :s3cret:with=signs
SIP1 Uri Escaped        :0
SIP1 SvcCode Mode       :1
SIP1 DNDOn SvcCode      :*78
SIP1 DNDOff SvcCode     :*79
SIP1 CFUOn SvcCode      :*57*
SIP1 CFUOff SvcCode     :#57#
SIP1 CFBOn SvcCode      :*40*{number}#
SIP1 CFBOff SvcCode     :#40#
SIP1 CFNOn SvcCode      :
SIP1 CFNOff SvcCode     :
SIP1 Feature Sync       :1
SIP2 Phone Number       :1004
SIP2 DNDOn SvcCode      :*56
SIP2 Feature Sync       :0
<CALL FEATURE CONFIG MODULE>
--Port Config--    :
P1 DND Return Code    :480
<<END OF FILE>>
"""

XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<sysConf>
  <Version>2.0000000000</Version>
  <sip>
    <line index="1">
      <RegisterPswd>s3cret</RegisterPswd>
      <UriEscaped>1</UriEscaped>
      <DNDOnSvcCode>*78</DNDOnSvcCode>
      <DNDOffSvcCode>*79</DNDOffSvcCode>
      <CFNOnSvcCode>*92</CFNOnSvcCode>
      <FeatureSync>1</FeatureSync>
    </line>
    <line index="2">
      <FeatureSync>0</FeatureSync>
    </line>
  </sip>
  <call><port index="1"><DNDReturnCode>486</DNDReturnCode></port></call>
</sysConf>
"""

OLDER_XML = """\
<VOIP_CONFIG_FILE>
<SIP_CONFIG_MODULE>
<SIP_Line_List>
<SIP_Line_List_Entry>
<ID>SIP1</ID>
<Uri_Escaped>1</Uri_Escaped>
<SvcCode_Mode>1</SvcCode_Mode>
<CFUOn_SvcCode>*72</CFUOn_SvcCode>
<CFUOff_SvcCode>*73</CFUOff_SvcCode>
<Feature_Sync>0</Feature_Sync>
</SIP_Line_List_Entry>
</SIP_Line_List>
</SIP_CONFIG_MODULE>
</VOIP_CONFIG_FILE>
"""

KEYS = """\
#!version:1.0.0.1
## Account
account.1.password = s3cret
account.1.dnd.on_code = *78
account.1.dnd.off_code =
account.1.always_fwd.on_code = *72
account.1.always_fwd.off_code = *73
account.2.always_fwd.on_code = *21
features.dnd.on_code = *30
features.dnd.off_code = *79
forward.no_answer.on_code = *92
forward.no_answer.off_code = *93
features.feature_key_sync.enable = 1
sip.use_23_as_pound = 0
features.dnd_refuse_code = 486
"""


LOCALLY = "the phone executes features by itself"


def write(tmp_path, text):
    file = tmp_path / "phone.cfg"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def read(tmp_path, text, line=1):
    return read_phone_config(write(tmp_path, text), line)


def fault(tmp_path, text, line=1):
    """What is said of a file, without its name."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigFault) as caught:
        read_phone_config(file, line)
    said = str(caught.value)
    assert said.startswith(f"{file}: ")
    assert "s3cret" not in said
    return said.removeprefix(f"{file}: ")


def test_the_guides_two_lines(tmp_path):
    config = read(tmp_path, GUIDE)
    assert config.feature_sync is False
    assert (config.codes, config.uri_escaped, config.dnd_return_code) == ({}, None, None)
    assert config.taken == (
        Taken(2, "SIP1 Feature Sync", "Feature Sync off: the phone executes features by itself"),
    )
    assert config.unknown == ()
    assert read(tmp_path, GUIDE.replace(":0", ":1")).feature_sync is True


def test_text_configuration(tmp_path):
    config = read(tmp_path, TEXT)
    assert (config.line, config.feature_sync, config.codes_used) == (1, True, True)
    assert config.codes == {
        "dnd": FeatureCodes("*78", "*79"),
        "cf_always": FeatureCodes("*57*{number}", "#57#"),
        "cf_busy": FeatureCodes("*40*{number}#", "#40#"),
    }
    assert (config.uri_escaped, config.dnd_return_code) == (False, 480)
    assert config.unknown == ((4, "SIP Port"), (6, "SIP1 Register Pswd"))


def test_another_line_of_the_phone(tmp_path):
    config = read(tmp_path, TEXT, line=2)
    assert (config.line, config.feature_sync, config.uri_escaped) == (2, False, None)
    assert config.codes == {"dnd": FeatureCodes("*56", "")}
    assert config.dnd_return_code == 480
    assert config.unknown == ((4, "SIP Port"), (18, "SIP2 Phone Number"))


def test_a_number_that_no_line_has_is_no_line(tmp_path):
    config = read(tmp_path, "SIP1234 Feature Sync :1\nSIP12 Feature Sync :1\n", line=12)
    assert config.unknown == ((1, "SIP1234 Feature Sync"),)
    assert config.feature_sync is True


def test_a_line_that_the_phone_has_not(tmp_path):
    assert fault(tmp_path, TEXT, line=3) == "SIP line: expected one of those in the file (1, 2), got 3"


def test_xml_configuration(tmp_path):
    config = read(tmp_path, XML)
    assert (config.feature_sync, config.uri_escaped, config.dnd_return_code) == (True, True, 486)
    assert config.codes == {
        "dnd": FeatureCodes("*78", "*79"),
        "cf_no_answer": FeatureCodes("*92{number}", ""),
    }
    assert config.taken[0] == Taken(7, "SIP1 UriEscaped", "'#' is dialled as %23")
    assert config.unknown == ((3, "Version"), (6, "SIP1 RegisterPswd"))
    assert read(tmp_path, XML, line=2).feature_sync is False


def test_older_xml_configuration(tmp_path):
    config = read(tmp_path, OLDER_XML)
    assert (config.feature_sync, config.codes_used, config.uri_escaped) == (False, True, True)
    assert config.codes == {"cf_always": FeatureCodes("*72{number}", "*73")}
    assert config.taken[2] == Taken(8, "SIP1 CFUOn_SvcCode", "unconditional forward on: dial *72{number}")
    assert config.unknown == ()


def test_keys_with_dots(tmp_path):
    config = read(tmp_path, KEYS)
    assert (config.feature_sync, config.uri_escaped, config.dnd_return_code) == (True, False, 486)
    assert config.codes == {
        "dnd": FeatureCodes("*78", "*79"),
        "cf_always": FeatureCodes("*72{number}", "*73"),
        "cf_no_answer": FeatureCodes("*92{number}", "*93"),
    }
    assert config.unknown == ((3, "account.1.password"),)
    assert read(tmp_path, KEYS, line=2).codes["dnd"] == FeatureCodes("*30", "*79")


def test_numbered_parameters_are_those_of_the_first_line(tmp_path):
    text = "P2325 = 1\nP2344=*78\nP2345=*79\naccount.2.featureCodes.dndOn = *77\n"
    assert read(tmp_path, text).codes == {"dnd": FeatureCodes("*78", "*79")}
    assert read(tmp_path, text).feature_sync is True
    second = read(tmp_path, text, line=2)
    assert (second.codes, second.feature_sync) == ({"dnd": FeatureCodes("*77", "")}, None)


def test_names_in_an_attribute(tmp_path):
    text = (
        '<config version="2">\n<item name="account.1.featureCodes.callForwardBusyOn">*90</item>\n'
        '<item name="account.1.featureCodes.callForwardBusyOff">*91</item>\n'
        '<item name="account.1.sip.syncFeatureKey">No</item></config>'
    )
    config = read(tmp_path, text)
    assert config.codes == {"cf_busy": FeatureCodes("*90{number}", "*91")}
    assert config.feature_sync is False


@pytest.mark.parametrize(
    "name", ["sip1 feature sync", "SIP1_Feature_Sync", "SIP1-FeatureSync", "SIP1\tFEATURE  SYNC"]
)
def test_names_are_compared_without_case_blanks_underscores_and_hyphens(tmp_path, name):
    assert read(tmp_path, f"{name} :1").feature_sync is True


def test_every_forward_gets_its_number_behind_the_code_and_no_off_code_does(tmp_path):
    text = "SIP1 CFUOn SvcCode :*57*#\nSIP1 CFUOff SvcCode :*57*\nSIP1 DNDOn SvcCode :*56#\n"
    codes = read(tmp_path, text).codes
    assert codes == {"dnd": FeatureCodes("*56#", ""), "cf_always": FeatureCodes("*57*#{number}", "*57*")}


def test_an_empty_code_is_no_code(tmp_path):
    config = read(tmp_path, "SIP1 DNDOn SvcCode :\nSIP1 DNDOff SvcCode :\nSIP1 CFUOff SvcCode :*73\n")
    assert config.codes == {"cf_always": FeatureCodes("", "*73")}
    assert config.taken[0].meaning == "DND on: no code"


def test_the_same_said_twice_is_taken(tmp_path):
    config = read(tmp_path, "SIP1 Feature Sync :1\nSIP1 FeatureSync :1\n")
    assert config.feature_sync is True
    assert [one.at for one in config.taken] == [1, 2]


def test_two_values_for_one_setting(tmp_path):
    assert fault(tmp_path, "SIP1 Feature Sync :1\nx :1\nSIP1 FeatureSync :0\n") == (
        "line 3: expected each setting once, got another value than that of 'SIP1 Feature Sync' in line 1"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a :1\nSIP1 Feature Sync :2", "line 2: expected 0 or 1 for 'SIP1 Feature Sync', got '2'"),
        ("SIP1 Uri Escaped :on", "line 1: expected 0 or 1 for 'SIP1 Uri Escaped', got 'on'"),
        (
            "SIP1 DNDOn SvcCode :78 9",
            "line 1: expected a feature code (0-9 A-D * # +) for 'SIP1 DNDOn SvcCode', got '78 9'",
        ),
        (
            "SIP1 CFUOff SvcCode :*73{number}",
            "line 1: expected a feature code (0-9 A-D * # +) for 'SIP1 CFUOff SvcCode', got '*73{number}'",
        ),
        (
            "SIP1 DNDOn SvcCode :*78{number}",
            "line 1: expected a feature code (0-9 A-D * # +) for 'SIP1 DNDOn SvcCode', got '*78{number}'",
        ),
        (
            f"SIP1 CFUOn SvcCode :{'1' * 41}",
            f"line 1: expected a feature code (0-9 A-D * # +) for 'SIP1 CFUOn SvcCode', got '{'1' * 40}'",
        ),
        (
            "P1 DND Return Code :200",
            "line 1: expected a status from 400 to 699 for 'P1 DND Return Code', got '200'",
        ),
        (
            '<a>\n<line index="1"><FeatureSync>2</FeatureSync></line></a>',
            "line 2: expected 0 or 1 for 'SIP1 FeatureSync', got '2'",
        ),
    ],
)
def test_a_value_that_cannot_be_meant(tmp_path, text, said):
    assert fault(tmp_path, text) == said


def test_the_description_says_what_was_taken_and_what_is_not_known(tmp_path):
    assert describe(read(tmp_path, TEXT)) == [
        "SIP line 1 of the phone: Feature Sync is on",
        "  line 7: SIP1 Uri Escaped: '#' is dialled as it is",
        "  line 8: SIP1 SvcCode Mode: features are switched by feature codes",
        "  line 9: SIP1 DNDOn SvcCode: DND on: dial *78",
        "  line 10: SIP1 DNDOff SvcCode: DND off: dial *79",
        "  line 11: SIP1 CFUOn SvcCode: unconditional forward on: dial *57*{number}",
        "  line 12: SIP1 CFUOff SvcCode: unconditional forward off: dial #57#",
        "  line 13: SIP1 CFBOn SvcCode: busy forward on: dial *40*{number}#",
        "  line 14: SIP1 CFBOff SvcCode: busy forward off: dial #40#",
        "  line 15: SIP1 CFNOn SvcCode: no-answer forward on: no code",
        "  line 16: SIP1 CFNOff SvcCode: no-answer forward off: no code",
        "  line 17: SIP1 Feature Sync: Feature Sync on: features are kept in step with the server",
        "  line 23: P1 DND Return Code: with DND on, calls are answered 480",
        "  not known, passed over: SIP Port, SIP1 Register Pswd",
    ]


def test_the_description_of_a_file_without_feature_sync_says_the_default(tmp_path):
    config = read(tmp_path, "".join(f"Setting {n} :1\n" for n in range(12)))
    assert config.feature_sync is None
    assert describe(config) == [
        f"SIP line 1 of the phone: Feature Sync is not in the file; the default is off, {LOCALLY}",
        "  not known, passed over: " + ", ".join(f"Setting {n}" for n in range(10)) + " and 2 more",
    ]
    assert describe(read(tmp_path, GUIDE))[0] == f"SIP line 1 of the phone: Feature Sync is off, {LOCALLY}"
    assert describe(read(tmp_path, ""))[1:] == []
    ten = read(tmp_path, "".join(f"Setting {n} :1\n" for n in range(10)))
    assert describe(ten)[1].endswith("Setting 8, Setting 9")


def test_the_description_warns_of_a_code_with_two_meanings(tmp_path):
    text = "SIP1 CFUOn SvcCode :*72\nSIP1 CFBOn SvcCode :*72\nSIP1 CFBOff SvcCode :*73\n"
    assert describe(read(tmp_path, text))[-1] == (
        "  *72{number} is the code of more than one thing: unconditional forward on, busy forward on"
    )
    assert len(describe(read(tmp_path, "SIP1 CFUOn SvcCode :*72\nSIP1 CFBOn SvcCode :*90\n"))) == 3
    text = "SIP1 DNDOn SvcCode :*78\nSIP1 DNDOff SvcCode :*78\n"
    assert describe(read(tmp_path, text))[-1] == "  *78 is the code of more than one thing: DND on, DND off"


def test_empty_switches_say_nothing(tmp_path):
    config = read(tmp_path, "features.feature_key_sync.enable =\nfeatures.dnd_refuse_code =\n")
    assert (config.feature_sync, config.dnd_return_code) == (None, None)
    assert {one.meaning for one in config.taken} == {"empty: the phone's default"}


def test_the_data_knows_each_name_once_and_both_codes_of_each_feature():
    known = catalogue()
    names = [name for scope in (known.line, known.first, known.phone) for name in scope]
    tables = {id(one): one for scope in (known.line, known.first, known.phone) for one in scope.values()}
    spelled = [
        name
        for one in tables.values()
        for scope in ("line", "first", "phone")
        for name in one.words.get(scope, ())
    ]
    assert len(names) == len(set(names)) == len(spelled)
    assert {one.key for one in tables.values()} == {
        "feature_sync",
        "codes_used",
        "uri_escaped",
        "dnd_return_code",
        *(f"{feature}.{switch}" for feature in Feature for switch in ("on", "off")),
    }


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)), st.integers(0, len(TEXT)))
def test_no_bytes_raise_anything_but_a_config_fault(tmp_path_factory, junk, at):
    file = tmp_path_factory.getbasetemp() / "junk.cfg"
    for data in (junk, TEXT[:at].encode() + junk + TEXT[at:].encode(), XML[:at].encode() + junk):
        file.write_bytes(data)
        with suppress(ConfigFault):
            assert all(line.isprintable() for line in describe(read_phone_config(file)))
