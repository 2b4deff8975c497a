"""The dialplan of the lab's Asterisk, generated from a profile: text out, nothing is run here.

Every feature code becomes patterns that match nothing but the code with a number of 1 to 20 digits or
``+``; whatever else begins with a code is refused with 484, and a code of nobody's is 404, Asterisk's own
answer. State is kept in AstDB in the families that the open-source systems use, see ``FAMILIES``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from ...profile import NUMBER, FeatureName, Profile

FAMILIES: dict[FeatureName, str] = {
    "dnd": "DND",
    "cf_always": "CF",
    "cf_busy": "CFB",
    # Not "unconditional": these systems write their forward on no answer here.
    "cf_no_answer": "CFU",
}
LONGEST = 20
"""Digits of a forward's number."""
PAUSE, HEARD, PROMPT = 0.3, 0.1, 1.0
"""Seconds: from the answer to the change, of the tone after it, and of waiting for a number."""
TONE = "425"
"""Hertz."""

Action = Literal["on", "off", "toggle"]


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a profile: ``prefix``, then a number when ``numbered``, then ``suffix``."""

    feature: FeatureName
    action: Action
    prefix: str
    suffix: str
    numbered: bool
    without_number: str = ""


def codes(profile: Profile) -> tuple[Code, ...]:
    """Every code that the profile knows."""
    found = []
    for feature, claim in profile.features.items():
        if claim.codes is None:
            continue
        bare = claim.codes.without_number
        for action in ("on", "off", "toggle"):
            fact = getattr(claim.codes, action)
            if fact is not None and fact.value is not None:
                prefix, slot, suffix = fact.value.partition(NUMBER)
                found.append(
                    Code(feature, action, prefix, suffix, bool(slot), (bare and bare.value) or "refused")
                )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Dialplan:
    """What becomes of a call to a code. With ``stores`` off it is played as ever and nothing is kept.

    ``dialect`` says where the announcement is heard: after 200 (``established``, ``behind_proxy``), before
    a final response (``early``), or after 200 for a code that switches on and before a final response for
    one that switches off (``mixed``). ``final`` is the status that ends an early one.
    """

    profile: Profile
    dialect: str
    faults: Collection[str] = ()
    final: int = 480
    stores: bool = True

    def text(self) -> str:
        """The contexts: ``phones``, where calls come in, and one for each thing that a code does."""
        lines = ["[phones]", "include => numbers", *self._phones()]
        for feature in dict.fromkeys(code.feature for code in codes(self.profile)):
            lines += ["", f"[{feature}-on]"]
            if feature != "dnd":
                lines += ["exten => _[0-9+]!,1,Set(TARGET=${EXTEN})", " same => n,Goto(s,1)"]
            lines += _steps("s", self._announcement("on", list(self._write(feature))))
            lines += ["", f"[{feature}-off]"]
            lines += _steps("s", self._announcement("off", list(self._erase(feature))))
        return "\n".join(lines)

    def _phones(self) -> Iterator[str]:
        """Where each code leads: whole codes first, as one may be the beginning of a code with a number."""
        taken: set[str] = set()
        for code in sorted(codes(self.profile), key=lambda code: code.numbered):
            yield ""
            yield f"; {code.feature} {code.action}: {code.prefix}{NUMBER * code.numbered}{code.suffix}"
            for extension, steps in self._extensions(code):
                if extension not in taken:
                    taken.add(extension)
                    yield from _steps(extension, steps)

    def _extensions(self, code: Code) -> Iterator[tuple[str, list[str]]]:
        """The most exact pattern wins, so 484 is for what begins as a code and is none."""
        bare = code.prefix + code.suffix
        yield bare, list(self._bare(code))
        if code.numbered:
            cut = f"${{EXTEN:{len(code.prefix)}{f':-{len(code.suffix)}' if code.suffix else ''}}}"
            for length in range(1, LONGEST + 1):
                pattern = f"_{code.prefix}{'[0-9+]' * length}{code.suffix}"
                yield pattern, [f"Goto({code.feature}-on,{cut},1)"]
        yield f"_{code.prefix if code.numbered else bare}.", ["Hangup(28)"]

    def _bare(self, code: Code) -> Iterator[str]:
        """What the code does when nothing follows it."""
        context = f"{code.feature}-{code.action}"
        if code.action == "toggle":
            if self.stores:
                yield f"GotoIf(${{DB_EXISTS({self._key(code.feature)})}}?{code.feature}-off,s,1)"
            context = f"{code.feature}-on"
        if code.action == "off" or code.feature == "dnd":
            yield f"Goto({context},s,1)"
        elif code.without_number == "voicemail":
            yield "Set(TARGET=voicemail)"
            yield f"Goto({context},s,1)"
        elif code.without_number == "prompt":
            yield from ("Answer(,i)", f"Wait({PROMPT})", "Hangup(16)")
        elif code.without_number == "stored":
            if not self.stores:
                yield f"Goto({context},s,1)"
                return
            yield f"Set(TARGET=${{DB(LAST_{self._key(code.feature)})}})"
            yield f"GotoIf(${{LEN(${{TARGET}})}}?{context},s,1)"
            yield "Hangup(28)"
        else:
            yield "Hangup(28)"

    def _announcement(self, action: Action, change: list[str]) -> list[str]:
        """The change is made when the announcement is under way, as real systems do: who hangs up at once
        has changed nothing."""
        early = self.dialect == "early" or (self.dialect == "mixed" and action == "off")
        if early:
            end = f"PJSIPHangup({self.final})"
            return ["Progress()", f"Playtones({TONE})", f"Wait({PAUSE})", *change, end]
        return ["Answer(,i)", f"Wait({PAUSE})", *change, f"Playtones({TONE})", f"Wait({HEARD})", "Hangup(16)"]

    def _write(self, feature: FeatureName) -> Iterator[str]:
        if self._changes():
            value = "YES" if feature == "dnd" else "${TARGET}"
            yield f"Set(DB({self._key(feature)})={value})"
            if (feature, "stored") in {(code.feature, code.without_number) for code in codes(self.profile)}:
                yield f"Set(DB(LAST_{self._key(feature)})={value})"

    def _erase(self, feature: FeatureName) -> Iterator[str]:
        if self._changes():
            yield f"Set(GONE=${{DB_DELETE({self._key(feature)})}})"

    def _changes(self) -> bool:
        return self.stores and "CODE_IGNORED" not in self.faults

    def _key(self, feature: FeatureName) -> str:
        """Of the caller's own entry. A caller is who has proved it, whatever the From header says."""
        wrong = feature == "cf_busy" and "WRONG_FEATURE" in self.faults
        return f"{FAMILIES['cf_always' if wrong else feature]}/${{CHANNEL(endpoint)}}"


def _steps(extension: str, steps: list[str]) -> Iterator[str]:
    yield f"exten => {extension},1,{steps[0]}"
    for step in steps[1:]:
        yield f" same => n,{step}"
