from pathlib import Path

import pytest

from featuresync.errors import ConfigFault

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def line_of(tmp_path):
    """What is said of a good file after one edit, without the folder; ``old`` has to be in it."""

    def say(of, old, new, read):
        text = (GOOD / of).read_text(encoding="utf-8")
        assert old in text
        file = tmp_path / of
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ConfigFault) as caught:
            read(file)
        assert caught.value.exit_code == 3
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return say
