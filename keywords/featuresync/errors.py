"""Errors carry blame: whose fault it is decides the verdict and the exit code.

    Fault
    ├── ConfigFault   the user's files or words are wrong              exit code 3
    ├── BenchFault    SSH, lab, network, credentials of the bench      verdict broken, exit code 2
    └── DeviceFault   the device under test left the scenario no way on  verdict fail, exit code 1

Anything else that escapes is our own fault and makes the test ``broken`` too, named as such.
"""

from pathlib import Path


class Fault(Exception):
    """Base of every error this package raises on purpose. ``str()`` is one line for a person."""

    ROBOT_SUPPRESS_NAME = True
    exit_code = 2


class ConfigFault(Fault):
    """A file or an option is wrong. Says file, key, expected, got, in this order."""

    exit_code = 3

    def __init__(self, file: str | Path, key: str, expected: str, got: str) -> None:
        self.file, self.key, self.expected, self.got = str(file), key, expected, got
        super().__init__(f"{file}: {key}: expected {expected}, got {got}")


class BenchFault(Fault):
    """The bench around the device failed: never counted against the device."""

    exit_code = 2


class DeviceFault(Fault):
    """The device did something that leaves the scenario no way to go on."""

    exit_code = 1
