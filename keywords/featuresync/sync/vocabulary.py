"""The words of the ``as-feature-event`` package: types, namespaces, root elements, forwarding types."""

from __future__ import annotations

import tomllib
from importlib import resources

from .feature import Feature

PACKAGE = "as-feature-event"
MEDIA_TYPE = "application/x-as-feature-event+xml"
MULTIPART_TYPE = "multipart/mixed"
ACCEPT = f"{MEDIA_TYPE}, {MULTIPART_TYPE}"

_NAMESPACES = tomllib.loads(resources.files(__package__).joinpath("namespaces.toml").read_text("utf-8"))
CSTA_NAMESPACE: str = _NAMESPACES["csta"]
EXTENSION_NAMESPACE: str = _NAMESPACES["extension"]
REASON_NAMESPACE: str = _NAMESPACES["reason"]

SET_DND, SET_FORWARDING = "SetDoNotDisturb", "SetForwarding"
DND_EVENT, FORWARDING_EVENT = "DoNotDisturbEvent", "ForwardingEvent"

REQUEST_ROOTS = frozenset({SET_DND, SET_FORWARDING, "SetAgentState", "SetSecurityClass"})
AGENT_EVENTS = frozenset(
    "AgentLoggedOnEvent AgentLoggedOffEvent AgentReadyEvent AgentNotReadyEvent "
    "AgentWorkingAfterCallEvent".split()
)
EXTENSION_EVENTS = frozenset(
    "ExecutiveEvent ExecutiveAssistantEvent CallRecordingModeEvent SecurityClassEvent".split()
)
EVENT_ROOTS = frozenset({DND_EVENT, FORWARDING_EVENT}) | AGENT_EVENTS | EXTENSION_EVENTS

# The package's spelling is forwardNoAns, not forwardNoAnswer.
FORWARDING_TYPES = {
    Feature.CF_ALWAYS: "forwardImmediate",
    Feature.CF_BUSY: "forwardBusy",
    Feature.CF_NO_ANSWER: "forwardNoAns",
}
FEATURE_OF_TYPE = {word: feature for feature, word in FORWARDING_TYPES.items()}
