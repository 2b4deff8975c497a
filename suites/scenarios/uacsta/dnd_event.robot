*** Settings ***
Documentation    A server that tells phones by uaCSTA: an INFO with an event in it.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:dnd    side:server    by:uacsta    CS-01    CS-04


*** Test Cases ***
DND Event Leaves The Display Alone
    [Documentation]    DND switched at the server reaches the phone as an event, which its display does not follow.
    Phone Is Registered
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Shows    dnd    off
    Server Has    dnd    on

DND Event Is Followed By A Phone That Is Told To
    [Documentation]    A line that is set to follow uaCSTA events shows DND as the server has it.
    Phone Is Registered    follow_events=True
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Shows    dnd    on
    Server Switches    dnd    off
    Phone Is Told    dnd    off
    Phone Shows    dnd    off
    Server Has    dnd    off

DND Event Reaches Both Phones
    [Documentation]    The event goes to every phone of the account, and to nobody else's.
    Phone Is Registered    phone=desk
    Phone Is Registered    phone=home
    Phone Is Registered    phone=stranger    account=other
    Server Switches    dnd    on
    Phone Is Told    dnd    on    phone=desk
    Phone Is Told    dnd    on    phone=home
    Phone Hears Nothing More    phone=stranger
    Server Has    dnd    on
