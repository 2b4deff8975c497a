"""The feature codes of a profile in the configuration language of Kamailio."""

from featuresync.bench.lab.dialplan import Code
from featuresync.bench.lab.kamailio import switches


def test_no_codes():
    assert switches([]) == ""


def test_every_form_of_code():
    codes = [
        Code("dnd", "on", "*78", "", False, "refused"),
        Code("dnd", "off", "*79", "", False, "refused"),
        Code("dnd", "toggle", "*77", "", False, "refused"),
        Code("cf_always", "on", "*72", "", True, "prompt"),
        Code("cf_busy", "on", "*40*", "#", True, "stored"),
        Code("cf_busy", "off", "#40#", "", False, "stored"),
        Code("cf_no_answer", "on", "*4", "", True, "refused"),
    ]
    found, number = "$var(t)", "$var(number)"
    assert switches(codes).split("\n") == [
        f'\tif ($var(dialled) == "*78") {{ {found} = "dnd"; $var(switch) = "true"; return; }}',
        f'\tif ($var(dialled) == "*79") {{ {found} = "dnd"; $var(switch) = "false"; return; }}',
        f'\tif ($var(dialled) == "*77") {{ {found} = "dnd"; $var(switch) = "toggle"; return; }}',
        f'\tif ($var(dialled) == "*72") {{ {found} = "forwardImmediate"; $var(switch) = "prompt"; return; }}',
        f'\tif ($var(dialled) == "*40*#") {{ {found} = "forwardBusy"; $var(switch) = "true"; return; }}',
        f'\tif ($var(dialled) == "#40#") {{ {found} = "forwardBusy"; $var(switch) = "false"; return; }}',
        f'\tif ($var(dialled) =~ "^[*][4][0][*][+]?[0-9]{{1,20}}[#]$") {{ {found} = "forwardBusy"; '
        f'$var(switch) = "true"; {number} = $(var(dialled){{s.strip,4}}{{s.striptail,1}}); return; }}',
        f'\tif ($var(dialled) =~ "^[*][7][2][+]?[0-9]{{1,20}}$") {{ {found} = "forwardImmediate"; '
        f'$var(switch) = "true"; {number} = $(var(dialled){{s.strip,3}}{{s.striptail,0}}); return; }}',
        f'\tif ($var(dialled) =~ "^[*][4][+]?[0-9]{{1,20}}$") {{ {found} = "forwardNoAns"; '
        f'$var(switch) = "true"; {number} = $(var(dialled){{s.strip,2}}{{s.striptail,0}}); return; }}',
        *(
            f'\tif ($var(dialled) =~ "^{prefix}") route(INCOMPLETE);'
            for prefix in (
                "[#][4][0][#]", "[*][4]", "[*][4][0][*]", "[*][7][2]", "[*][7][7]", "[*][7][8]", "[*][7][9]",
            )
        ),
    ]  # fmt: skip
