*** Settings ***
Documentation    Somebody switches DND at the server: a portal, an administrator, another device.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:dnd    side:server    ST-09    NO-10    CS-04


*** Test Cases ***
DND On
    [Documentation]    Switching DND on at the server shows on the phone.
    [Tags]    BD-04
    A Phone In Step
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on

DND Off
    [Documentation]    Switching DND off at the server shows on the phone.
    [Tags]    BD-04
    Server Already Has    dnd    on
    A Phone In Step
    Server Switches    dnd    off
    Phone Is Told    dnd    off
    Server Has    dnd    off

DND On Twice
    [Documentation]    Switching DND on at the server when it is on already leaves phone and server agreed.
    A Phone In Step
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Switches    dnd    on
    Server Has    dnd    on

DND Leaves The Forwards Alone
    [Documentation]    With all three forwards on, DND switched at the server changes none of them.
    [Tags]    ST-08
    All Forwards Are Already On
    A Phone In Step
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on

DND Back And Forth
    [Documentation]    Ten switches of DND at the server reach the phone one by one and in order.
    [Tags]    ST-20    NO-08
    A Phone In Step
    FOR    ${_}    IN RANGE    5
        Server Switches    dnd    on
        Phone Is Told    dnd    on
        Server Switches    dnd    off
        Phone Is Told    dnd    off
    END
    Server Has    dnd    off
