*** Settings ***
Documentation    Somebody presses the DND key on the phone.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:dnd    side:phone    ST-08


*** Test Cases ***
DND On
    [Documentation]    Pressing DND on the phone switches it on at the server, and the server confirms it.
    [Tags]    ST-01    NO-01    BD-04    BD-15    MP-02    AU-03    FC-01    FC-09    FC-10
    A Phone In Step
    Phone Presses    dnd    on
    Change Is Confirmed    dnd    on
    Server Has    dnd    on

DND Off
    [Documentation]    Pressing DND again switches it off at the server, and the server confirms it.
    [Tags]    ST-02    NO-01    BD-04    BD-15    FC-01
    Server Already Has    dnd    on
    A Phone In Step
    Phone Presses    dnd    off
    Change Is Confirmed    dnd    off
    Server Has    dnd    off

DND On Twice
    [Documentation]    Switching DND on when it is on already is answered all the same.
    [Tags]    ST-01    ST-03    FC-01    FC-03
    A Phone In Step
    Phone Presses    dnd    on
    Change Is Confirmed    dnd    on
    Phone Presses    dnd    on
    Change Is Confirmed    dnd    on
    Server Has    dnd    on

DND Off Twice
    [Documentation]    Switching DND off when it is off already is answered all the same.
    [Tags]    ST-02    ST-03    FC-01
    A Phone In Step
    Phone Presses    dnd    off
    Change Is Confirmed    dnd    off
    Phone Presses    dnd    off
    Change Is Confirmed    dnd    off
    Server Has    dnd    off

DND Leaves The Forwards Alone
    [Documentation]    With all three forwards on, switching DND on and off again changes none of them.
    [Tags]    ST-01    ST-02    FC-01
    All Forwards Are Already On
    A Phone In Step
    Phone Presses    dnd    on
    Change Is Confirmed    dnd    on
    Server Has    dnd    on
    Phone Presses    dnd    off
    Change Is Confirmed    dnd    off
    Server Has    dnd    off

DND From Each Make Of Phone
    [Documentation]    DND is understood in each way that phone makers write it.
    [Tags]    by:as-feature-event    ST-01
    [Template]    DND Is Understood From
    polycom
    yealink
    audiocodes


*** Keywords ***
DND Is Understood From
    [Documentation]    One phone of that make switches DND on and off again.
    [Arguments]    ${make}
    A Phone In Step    phone=${make}    dialect=${make}
    Phone Presses    dnd    on    phone=${make}
    Change Is Confirmed    dnd    on    phone=${make}
    Server Has    dnd    on
    Phone Presses    dnd    off    phone=${make}
    Change Is Confirmed    dnd    off    phone=${make}
    Phone Unsubscribes    phone=${make}
