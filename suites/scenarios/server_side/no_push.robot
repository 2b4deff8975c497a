*** Settings ***
Documentation    A server that cannot tell phones: that it stays silent is proved.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        side:server    by:none    FC-04


*** Test Cases ***
No Push Of DND
    [Documentation]    DND switched at the server is not told to the phone, which goes on showing its own state.
    [Tags]    feature:dnd
    Nothing Is Told Of    dnd

No Push Of The Unconditional Forward
    [Documentation]    The unconditional forward set at the server is not told to the phone.
    [Tags]    feature:cf_always
    Nothing Is Told Of    cf_always    ${TARGET}

No Push Of The Busy Forward
    [Documentation]    The busy forward set at the server is not told to the phone.
    [Tags]    feature:cf_busy
    Nothing Is Told Of    cf_busy    ${TARGET}

No Push Of The No-Answer Forward
    [Documentation]    The no-answer forward set at the server is not told to the phone.
    [Tags]    feature:cf_no_answer
    Nothing Is Told Of    cf_no_answer    ${TARGET}


*** Keywords ***
Nothing Is Told Of
    [Documentation]    The server changes on and off again; the phone listens and hears nothing.
    [Arguments]    ${feature}    ${number}=${EMPTY}
    Phone Is Registered
    Server Switches    ${feature}    on    ${number}
    Phone Hears Nothing More
    Phone Shows    ${feature}    off
    Server Has    ${feature}    on    ${number}
    Server Switches    ${feature}    off
    Phone Hears Nothing More
    Server Has    ${feature}    off
