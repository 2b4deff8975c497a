*** Settings ***
Documentation    Somebody dials feature codes, rightly and wrongly.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        side:phone    by:feature-code    ST-08


*** Test Cases ***
Code DND On And Off
    [Documentation]    DND goes on and off by its codes, and each call is held until the server ends it.
    [Tags]    feature:dnd    FC-01    FC-09    FC-10
    Phone Is Registered
    Phone Dials The Code    dnd    on
    Server Has    dnd    on
    Phone Dials The Code    dnd    off
    Server Has    dnd    off

Code DND On Twice
    [Documentation]    The code that switches DND on does not switch it off when it is dialled again.
    [Tags]    feature:dnd    FC-01    FC-03
    Phone Is Registered
    Phone Dials The Code    dnd    on
    Server Has    dnd    on
    Phone Dials The Code    dnd    on
    Server Has    dnd    on

Code Unconditional Forward
    [Documentation]    The unconditional forward is set to a number and taken off by its codes.
    [Tags]    feature:cf_always    FC-02    FC-09    FC-10
    Forward Is Set And Taken Off By Code    cf_always

Code Busy Forward
    [Documentation]    The busy forward is set to a number and taken off by its codes.
    [Tags]    feature:cf_busy    FC-02    FC-09    FC-10
    Forward Is Set And Taken Off By Code    cf_busy

Code No-Answer Forward
    [Documentation]    The no-answer forward is set to a number and taken off by its codes.
    [Tags]    feature:cf_no_answer    FC-02    FC-09    FC-10
    Forward Is Set And Taken Off By Code    cf_no_answer

Code Unconditional Forward Off With Digits
    [Documentation]    Unconditional forward off, dialled with somebody's number behind it, leaves that one alone.
    [Tags]    feature:cf_always    FC-05
    Off Code With Digits Harms Nobody    cf_always

Code Busy Forward Off With Digits
    [Documentation]    Busy forward off, dialled with somebody's number behind it, leaves that one alone.
    [Tags]    feature:cf_busy    FC-05
    Off Code With Digits Harms Nobody    cf_busy

Code No-Answer Forward Off With Digits
    [Documentation]    No-answer forward off, dialled with somebody's number behind it, leaves that one alone.
    [Tags]    feature:cf_no_answer    FC-05
    Off Code With Digits Harms Nobody    cf_no_answer

Code Unconditional Forward Without A Number
    [Documentation]    Unconditional forward on, dialled without a number, does what the vendor says.
    [Tags]    feature:cf_always    needs:features.cf_always.codes.without_number    FC-06
    On Code Without A Number    cf_always

Code Busy Forward Without A Number
    [Documentation]    Busy forward on, dialled without a number, does what the vendor says.
    [Tags]    feature:cf_busy    needs:features.cf_busy.codes.without_number    FC-06
    On Code Without A Number    cf_busy

Code No-Answer Forward Without A Number
    [Documentation]    No-answer forward on, dialled without a number, does what the vendor says.
    [Tags]    feature:cf_no_answer    needs:features.cf_no_answer.codes.without_number    FC-06
    On Code Without A Number    cf_no_answer

Code That Nobody Knows
    [Documentation]    A code that means nothing changes nothing.
    [Tags]    feature:dnd    FC-07
    Phone Is Registered
    Server Already Has    dnd    on
    Server Has    dnd    on
    Phone Dials An Unknown Code
    Server Has    dnd    on

Code Without Credentials
    [Documentation]    A feature code dialled without credentials changes nothing.
    [Tags]    feature:dnd    needs:challenge    FC-08
    Phone Is Registered
    Phone Dials The Code Without Credentials    dnd    on
    Server Has    dnd    off

Code On A Subscribed Account
    [Documentation]    DND set by its code is told to the account's subscribed phones too.
    [Tags]    feature:dnd    needs:notify_after_code    ST-23    FC-01
    A Subscribed Phone
    Phone Dials The Code    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on
    Phone Dials The Code    dnd    off
    Phone Is Told    dnd    off
    Server Has    dnd    off

Code For A Forward On A Subscribed Account
    [Documentation]    A forward set by its code is told to the account's subscribed phones too, with its number.
    [Tags]    feature:cf_always    needs:notify_after_code    ST-23    FC-02
    A Subscribed Phone
    Phone Dials The Code    cf_always    on    ${TARGET}
    Phone Is Told    cf_always    on    ${TARGET}
    Server Has    cf_always    on    ${TARGET}


*** Keywords ***
Forward Is Set And Taken Off By Code
    [Documentation]    The forward goes on with a number, gets another one, and goes off.
    [Arguments]    ${feature}
    Phone Is Registered
    Phone Dials The Code    ${feature}    on    ${TARGET}
    Server Has    ${feature}    on    ${TARGET}
    Phone Dials The Code    ${feature}    on    ${OTHER TARGET}
    Server Has    ${feature}    on    ${OTHER TARGET}
    Phone Dials The Code    ${feature}    off
    Server Has    ${feature}    off

Off Code With Digits Harms Nobody
    [Documentation]    The other account has that forward on, and still has it afterwards.
    [Arguments]    ${feature}
    Server Already Has    ${feature}    on    ${TARGET}
    Server Already Has    ${feature}    on    ${OTHER TARGET}    account=other
    Phone Is Registered
    Server Has    ${feature}    on    ${OTHER TARGET}    account=other
    Phone Dials The Off Code With Digits    ${feature}    account=other
    Server Has    ${feature}    on    ${OTHER TARGET}    account=other
    Server State Is Read

On Code Without A Number
    [Documentation]    What comes of it is read back; the judge knows what the vendor says.
    [Arguments]    ${feature}
    Phone Is Registered
    Server State Is Read
    Phone Dials The On Code Without A Number    ${feature}
    Server State Is Read
