*** Settings ***
Documentation    Somebody sets a forward on the phone: unconditional, busy, no-answer.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        side:phone    ST-08


*** Test Cases ***
Unconditional Forward On
    [Documentation]    Setting the unconditional forward on the phone switches it on at the server, with its number.
    [Tags]    feature:cf_always    ST-04    NO-01    BD-05    BD-06    BD-15    FC-02
    Forward Is Set    cf_always

Unconditional Forward Number Changed
    [Documentation]    Another unconditional target typed on the phone takes the place of the first at the server.
    [Tags]    feature:cf_always    ST-04    FC-02
    Forward Number Is Changed    cf_always

Unconditional Forward Off
    [Documentation]    Taking the unconditional forward off on the phone switches it off at the server.
    [Tags]    feature:cf_always    ST-05    BD-07    BD-15    FC-02
    Forward Is Taken Off    cf_always

Unconditional Forward On Twice
    [Documentation]    Setting the same unconditional forward again on the phone is answered all the same.
    [Tags]    feature:cf_always    ST-04    ST-03    FC-02
    Forward Is Set Twice    cf_always

Busy Forward On
    [Documentation]    Setting the busy forward on the phone switches it on at the server, with its number.
    [Tags]    feature:cf_busy    ST-06    NO-01    BD-05    BD-06    BD-15    FC-02
    Forward Is Set    cf_busy

Busy Forward Number Changed
    [Documentation]    Another busy target typed on the phone takes the place of the first at the server.
    [Tags]    feature:cf_busy    ST-06    FC-02
    Forward Number Is Changed    cf_busy

Busy Forward Off
    [Documentation]    Taking the busy forward off on the phone switches it off at the server.
    [Tags]    feature:cf_busy    ST-06    BD-15    FC-02
    Forward Is Taken Off    cf_busy

Busy Forward On Twice
    [Documentation]    Setting the same busy forward again on the phone is answered all the same.
    [Tags]    feature:cf_busy    ST-06    ST-03    FC-02
    Forward Is Set Twice    cf_busy

No-Answer Forward On
    [Documentation]    Setting the no-answer forward on the phone switches it on at the server, with its number.
    [Tags]    feature:cf_no_answer    ST-07    NO-01    BD-05    BD-06    BD-15    FC-02
    Forward Is Set    cf_no_answer

No-Answer Forward Number Changed
    [Documentation]    Another no-answer target typed on the phone takes the place of the first at the server.
    [Tags]    feature:cf_no_answer    ST-07    FC-02
    Forward Number Is Changed    cf_no_answer

No-Answer Forward Off
    [Documentation]    Taking the no-answer forward off on the phone switches it off at the server.
    [Tags]    feature:cf_no_answer    ST-07    BD-15    FC-02
    Forward Is Taken Off    cf_no_answer

No-Answer Forward On Twice
    [Documentation]    Setting the same no-answer forward again on the phone is answered all the same.
    [Tags]    feature:cf_no_answer    ST-07    ST-03    FC-02
    Forward Is Set Twice    cf_no_answer

Busy Forward Leaves The Others Alone
    [Documentation]    With all three forwards on, another busy target typed on the phone changes just that one.
    [Tags]    feature:cf_busy    ST-06    FC-02
    All Forwards Are Already On
    A Phone In Step
    Phone Presses    cf_busy    on    ${TARGET}
    Change Is Confirmed    cf_busy    on    ${TARGET}
    Server Has    cf_busy    on    ${TARGET}
    Phone Presses    cf_busy    off
    Change Is Confirmed    cf_busy    off
    Server Has    cf_busy    off

No-Answer Forward Ring Count
    [Documentation]    The number of rings set on the phone reaches the server, and so does a change of it.
    [Tags]    feature:cf_no_answer    by:as-feature-event    BD-08    BD-09
    A Phone In Step
    Phone Presses    cf_no_answer    on    ${TARGET}    rings=4
    Change Is Confirmed    cf_no_answer    on    ${TARGET}    rings=4
    Server Has    cf_no_answer    on    ${TARGET}    rings=4
    Phone Presses    cf_no_answer    on    ${TARGET}    rings=7
    Change Is Confirmed    cf_no_answer    on    ${TARGET}    rings=7
    Server Has    cf_no_answer    on    ${TARGET}    rings=7


*** Keywords ***
Forward Is Set
    [Documentation]    The forward goes from off to on, with a number.
    [Arguments]    ${feature}
    A Phone In Step
    Phone Presses    ${feature}    on    ${TARGET}
    Change Is Confirmed    ${feature}    on    ${TARGET}
    Server Has    ${feature}    on    ${TARGET}

Forward Number Is Changed
    [Documentation]    The forward is on already and gets another number.
    [Arguments]    ${feature}
    Server Already Has    ${feature}    on    ${TARGET}
    A Phone In Step
    Phone Presses    ${feature}    on    ${OTHER TARGET}
    Change Is Confirmed    ${feature}    on    ${OTHER TARGET}
    Server Has    ${feature}    on    ${OTHER TARGET}

Forward Is Taken Off
    [Documentation]    The forward is on already and goes off.
    [Arguments]    ${feature}
    Server Already Has    ${feature}    on    ${TARGET}
    A Phone In Step
    Phone Presses    ${feature}    off    ${TARGET}
    Change Is Confirmed    ${feature}    off
    Server Has    ${feature}    off

Forward Is Set Twice
    [Documentation]    The forward goes on, and on again with the same number.
    [Arguments]    ${feature}
    A Phone In Step
    Phone Presses    ${feature}    on    ${TARGET}
    Change Is Confirmed    ${feature}    on    ${TARGET}
    Phone Presses    ${feature}    on    ${TARGET}
    Change Is Confirmed    ${feature}    on    ${TARGET}
    Server Has    ${feature}    on    ${TARGET}
