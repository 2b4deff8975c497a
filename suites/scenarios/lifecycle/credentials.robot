*** Settings ***
Documentation    Who may see and change a phone's features.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:all    side:lifecycle    by:as-feature-event    needs:challenge


*** Test Cases ***
Subscribe Without Credentials
    [Documentation]    A SUBSCRIBE without credentials is challenged, and no state is given away.
    [Tags]    AU-01
    Phone Is Registered
    Phone Asks For A Subscription    credentials=none
    Phone Hears Nothing More
    Server Has    dnd    off

Set Without Credentials
    [Documentation]    A change without credentials changes nothing.
    [Tags]    AU-02
    A Subscribed Phone
    Phone Tries To Set    dnd    on    credentials=none
    Phone Hears Nothing More
    Server Has    dnd    off

Set With A Wrong Password
    [Documentation]    A change with a wrong password is refused and changes nothing.
    [Tags]    AU-05
    A Subscribed Phone
    Phone Tries To Set    dnd    on    credentials=wrong
    Phone Hears Nothing More
    Server Has    dnd    off

Right Credentials After The Challenge
    [Documentation]    Answering the challenge in the same dialog is accepted.
    [Tags]    AU-03
    A Subscribed Phone
    Phone Presses    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on
