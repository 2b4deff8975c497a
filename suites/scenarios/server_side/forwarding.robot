*** Settings ***
Documentation    Somebody sets a forward at the server: unconditional, busy, no-answer.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        side:server    ST-10    NO-10


*** Test Cases ***
Unconditional Forward On
    [Documentation]    Setting the unconditional forward at the server shows on the phone, with its number.
    [Tags]    feature:cf_always    BD-05    BD-06
    Forward Is Set    cf_always

Unconditional Forward Number Changed
    [Documentation]    Another unconditional target set at the server shows on the phone.
    [Tags]    feature:cf_always
    Forward Number Is Changed    cf_always

Unconditional Forward Off
    [Documentation]    Taking the unconditional forward off at the server shows on the phone.
    [Tags]    feature:cf_always
    Forward Is Taken Off    cf_always

Unconditional Forward On Twice
    [Documentation]    Setting the same unconditional forward again leaves phone and server agreed.
    [Tags]    feature:cf_always
    Forward Is Set Twice    cf_always

Busy Forward On
    [Documentation]    Setting the busy forward at the server shows on the phone, with its number.
    [Tags]    feature:cf_busy    BD-05    BD-06
    Forward Is Set    cf_busy

Busy Forward Number Changed
    [Documentation]    Another busy target set at the server shows on the phone.
    [Tags]    feature:cf_busy
    Forward Number Is Changed    cf_busy

Busy Forward Off
    [Documentation]    Taking the busy forward off at the server shows on the phone.
    [Tags]    feature:cf_busy
    Forward Is Taken Off    cf_busy

Busy Forward On Twice
    [Documentation]    Setting the same busy forward again leaves phone and server agreed.
    [Tags]    feature:cf_busy
    Forward Is Set Twice    cf_busy

No-Answer Forward On
    [Documentation]    Setting the no-answer forward at the server shows on the phone, with its number.
    [Tags]    feature:cf_no_answer    BD-05    BD-06
    Forward Is Set    cf_no_answer

No-Answer Forward Number Changed
    [Documentation]    Another no-answer target set at the server shows on the phone.
    [Tags]    feature:cf_no_answer
    Forward Number Is Changed    cf_no_answer

No-Answer Forward Off
    [Documentation]    Taking the no-answer forward off at the server shows on the phone.
    [Tags]    feature:cf_no_answer
    Forward Is Taken Off    cf_no_answer

No-Answer Forward On Twice
    [Documentation]    Setting the same no-answer forward again leaves phone and server agreed.
    [Tags]    feature:cf_no_answer
    Forward Is Set Twice    cf_no_answer

No-Answer Forward Ring Count
    [Documentation]    The number of rings set at the server reaches the phone, and so does a change of it.
    [Tags]    feature:cf_no_answer    by:as-feature-event    BD-08    BD-09
    A Phone In Step
    Server Switches    cf_no_answer    on    ${TARGET}    rings=4
    Phone Is Told    cf_no_answer    on    ${TARGET}    rings=4
    Server Has    cf_no_answer    on    ${TARGET}    rings=4
    Server Switches    cf_no_answer    on    ${TARGET}    rings=7
    Phone Is Told    cf_no_answer    on    ${TARGET}    rings=7
    Server Has    cf_no_answer    on    ${TARGET}    rings=7


*** Keywords ***
Forward Is Set
    [Documentation]    The forward goes from off to on, with a number.
    [Arguments]    ${feature}
    A Phone In Step
    Server Switches    ${feature}    on    ${TARGET}
    Phone Is Told    ${feature}    on    ${TARGET}
    Server Has    ${feature}    on    ${TARGET}

Forward Number Is Changed
    [Documentation]    The forward is on already and gets another number.
    [Arguments]    ${feature}
    Server Already Has    ${feature}    on    ${TARGET}
    A Phone In Step
    Server Switches    ${feature}    on    ${OTHER TARGET}
    Phone Is Told    ${feature}    on    ${OTHER TARGET}
    Server Has    ${feature}    on    ${OTHER TARGET}

Forward Is Taken Off
    [Documentation]    The forward is on already and goes off.
    [Arguments]    ${feature}
    Server Already Has    ${feature}    on    ${TARGET}
    A Phone In Step
    Server Switches    ${feature}    off    ${TARGET}
    Phone Is Told    ${feature}    off
    Server Has    ${feature}    off

Forward Is Set Twice
    [Documentation]    The forward goes on, and on again with the same number.
    [Arguments]    ${feature}
    A Phone In Step
    Server Switches    ${feature}    on    ${TARGET}
    Phone Is Told    ${feature}    on    ${TARGET}
    Server Switches    ${feature}    on    ${TARGET}
    Server Has    ${feature}    on    ${TARGET}
