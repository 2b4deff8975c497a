"""A profile of a system with feature codes, for tests of the lab, as a user would write it."""

from __future__ import annotations

from typing import Any

from featuresync.profile import Profile

Codes = dict[str, dict[str, str]]
CODES: Codes = {
    "dnd": {"on": "*78", "off": "*79", "toggle": "*76"},
    "cf_always": {"on": "*72{number}", "off": "*73", "toggle": "*96", "without_number": "prompt"},
    "cf_busy": {"on": "*90{number}", "off": "*91", "without_number": "voicemail"},
    "cf_no_answer": {"on": "*52*{number}#", "off": "#52#", "without_number": "stored"},
}


def coded(
    dialect: str = "established",
    *,
    engine: str = "asterisk",
    recipe: str = "astdb",
    codes: Codes = CODES,
    call: dict[str, Any] | None = None,
    recipes: dict[str, Any] | None = None,
) -> Profile:
    """The profile. ``call`` are values of its table of that name, beside the usual ones."""

    def fact(value: Any) -> dict[str, Any]:
        return {"value": value, "source": "lab", "sure": "measured"}

    usual = {
        "answer": "established", "ends": "server", "cap": 10, "user_parameter": "none",
        "hash_sign": "escaped", "media": "silence",
    }  # fmt: skip
    return Profile.model_validate(
        {
            "vendor": {"name": "coded", "title": "Coded", "families": ["FC"]},
            "sources": {"lab": "The lab"},
            "features": {
                feature: {
                    "phone_side": fact("feature-code"),
                    "server_side": fact("none"),
                    "codes": {name: fact(value) for name, value in row.items()},
                }
                for feature, row in codes.items()
            },
            "call": {name: fact(value) for name, value in {**usual, **(call or {})}.items()},
            "lab": {"engine": engine, "dialect": dialect, "recipe": recipe},
            "recipes": recipes or {},
        }
    )
