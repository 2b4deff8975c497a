"""Configuration templates of the lab: words in @ are replaced, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ...errors import ConfigFault


def render(template: Path, values: Mapping[str, str]) -> str:
    """The template with every ``@WORD@`` replaced. Raises ConfigFault for a word without a value."""
    try:
        text = template.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigFault(template, "file", "a readable template", str(error)) from None

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ConfigFault(template, match[0], f"one of {', '.join(sorted(values))}", match[1])
        return values[match[1]]

    return re.sub(r"@([A-Z][A-Z0-9_]*)@", value, text)
