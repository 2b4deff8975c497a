*** Settings ***
Documentation    What callers find: the state of the features shows in real calls.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State With A Target
Test Teardown    Leave Everything As It Was

Test Tags        side:effect    needs:carries_calls    role:target


*** Test Cases ***
DND Keeps The Phone Quiet
    [Documentation]    With DND on at the phone a caller does not make it ring; with DND off it rings again.
    [Tags]    feature:dnd    EF-01    EF-05
    All Phones Are There
    Desk Phone Sets    dnd    on
    Phone Calls    caller
    Call Is Over    caller
    Desk Phone Sets    dnd    off
    A Call Rings At    desk
    Server Has    dnd    off

Unconditional Forward Reaches Its Target
    [Documentation]    With the unconditional forward on a call rings at its target; with it off, at the phone again.
    [Tags]    feature:cf_always    EF-02    EF-05
    All Phones Are There
    Desk Phone Sets    cf_always    on    ${TARGET}
    A Call Rings At    target
    Desk Phone Sets    cf_always    off
    A Call Rings At    desk
    Server Has    cf_always    off

Busy Forward Reaches Its Target
    [Documentation]    With the busy forward on a call to the busy phone rings at the target; with it off, nowhere.
    [Tags]    feature:cf_busy    EF-03
    All Phones Are There
    Phone Is Busy    desk
    Desk Phone Sets    cf_busy    on    ${TARGET}
    A Call Rings At    target
    Desk Phone Sets    cf_busy    off
    Phone Calls    caller
    Call Is Over    caller
    Server Has    cf_busy    off

No-Answer Forward Reaches Its Target
    [Documentation]    With the no-answer forward on a call that nobody answers rings at the target in the end.
    [Tags]    feature:cf_no_answer    EF-04
    All Phones Are There
    Desk Phone Sets    cf_no_answer    on    ${TARGET}    rings=1
    Phone Calls    caller
    Phone Rings    desk
    Phone Rings    target    within=no_answer
    Phone Hangs Up    caller
    Desk Phone Sets    cf_no_answer    off
    A Call Rings At    desk
    Server Has    cf_no_answer    off

Everything Off
    [Documentation]    With every feature off a call rings at the phone that was called, and nowhere else.
    [Tags]    feature:all    EF-05
    All Phones Are There
    A Call Rings At    desk
    Server Has    dnd    off


*** Keywords ***
Start From A Known State With A Target
    [Documentation]    The account that forwards point at has every feature off too.
    Start From A Known State
    Switch Everything Off    account=target

All Phones Are There
    [Documentation]    The phone under test, a caller, and the phone that forwards point at.
    A Phone In Step    phone=desk
    Phone Is Registered    phone=caller    account=other
    Phone Is Registered    phone=target    account=target

Desk Phone Sets
    [Documentation]    A key press at the phone under test, and the server's word on it.
    [Arguments]    ${feature}    ${state}    ${number}=${EMPTY}    ${rings}=${NONE}
    Phone Presses    ${feature}    ${state}    ${number}    rings=${rings}
    Change Is Confirmed    ${feature}    ${state}    ${number}

A Call Rings At
    [Documentation]    Somebody calls the account under test, the named phone rings, and the caller gives up.
    [Arguments]    ${phone}
    Phone Calls    caller
    Phone Rings    ${phone}
    Phone Hangs Up    caller
