*** Settings ***
Documentation    Kamailio answers a set with the old state first and the new one after it.

Resource         ../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:dnd    side:phone


*** Test Cases ***
Stale State Before The New One
    [Documentation]    After a key press the phone may be told the old state, and must be told the new one in the end.
    [Tags]    ST-01    ST-02    BD-15
    A Subscribed Phone
    Phone Presses    dnd    on
    Phone Is Told    dnd    on
    Phone Presses    dnd    off
    Phone Is Told    dnd    off
    Phone Hears Nothing More
    Server Has    dnd    off
