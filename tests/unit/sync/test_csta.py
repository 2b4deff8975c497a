"""uaCSTA bodies: any edition, events and the requests that some servers push, hostile input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sync.csta import is_csta, read_csta
from featuresync.sync.feature import Feature, FeatureState

ED3 = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"


def event(children, root="DoNotDisturbEvent", namespace=ED3):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}">{children}</{root}>'.encode()


DND_ON = "<monitorCrossRefID>m1</monitorCrossRefID><device><deviceIdentifier>2001</deviceIdentifier></device>"
DND_ON += "<doNotDisturbOn>true</doNotDisturbOn>"


@pytest.mark.parametrize(
    ("namespace", "edition"),
    [(ED3.replace("ed3", f"ed{n}"), f"ed{n}") for n in (2, 3, 5, 6, 10)]
    + [("http://www.ecma.ch/standards/ecma-323/csta/ed6", "ed6")],
)
def test_any_edition_is_read(namespace, edition):
    body = read_csta(event(DND_ON, namespace=namespace))
    assert body.states == {Feature.DND: FeatureState(Feature.DND, True)}
    assert (body.root, body.edition, body.problems) == ("DoNotDisturbEvent", edition, ())


def test_an_event_about_a_forward():
    children = "<forwardingType>forwardBusy</forwardingType><forwardStatus>true</forwardStatus>"
    body = read_csta(event(f"{children}<forwardTo>1003</forwardTo>", "ForwardingEvent"))
    assert body.states == {Feature.CF_BUSY: FeatureState(Feature.CF_BUSY, True, "1003")}
    assert body.problems == ()


def test_a_request_that_is_pushed_is_understood():
    body = read_csta(event("<device>1</device><doNotDisturbOn>false</doNotDisturbOn>", "SetDoNotDisturb"))
    assert body.states == {Feature.DND: FeatureState(Feature.DND, False)}
    children = "<forwardingType>forwardImmediate</forwardingType><activateForward>true</activateForward>"
    body = read_csta(event(f"{children}<forwardDN>7</forwardDN>", "SetForwarding"))
    assert body.states == {Feature.CF_ALWAYS: FeatureState(Feature.CF_ALWAYS, True, "7")}


def test_an_event_about_something_else_is_no_problem():
    body = read_csta(event("<x/>", "DeliveredEvent"))
    assert (body.root, body.states, body.problems) == ("DeliveredEvent", {}, ())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (event(DND_ON, namespace="urn:x"), "namespace 'urn:x' is that of no edition of ECMA-323"),
        (event("<doNotDisturbOn>maybe</doNotDisturbOn>"), "DoNotDisturbEvent without a readable state"),
        (b"", "no document that can be read"),
        (b"nonsense", "no document that can be read"),
        (event(DND_ON) * 2, "2 documents in one body"),
    ],
)
def test_problems_are_named(body, problem):
    assert problem in read_csta(body).problems


def test_entities_are_not_expanded():
    bomb = b'<!DOCTYPE a [<!ENTITY x "y">]>' + event(DND_ON)[39:]
    assert read_csta(bomb).states == {}
    assert read_csta(bomb).problems


@given(st.binary(max_size=400))
def test_nothing_is_raised(data):
    read_csta(data)
    read_csta(event(DND_ON)[: len(data)] + data)


def test_the_type_is_compared_without_case_and_parameters():
    assert is_csta("Application/CSTA+xml;charset=utf-8")
    assert not is_csta("application/xml")
