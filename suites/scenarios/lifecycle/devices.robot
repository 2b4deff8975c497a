*** Settings ***
Documentation    Several phones: two on one account, one on another.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:all    side:lifecycle    by:as-feature-event


*** Test Cases ***
Server Change Reaches Both Phones
    [Documentation]    A change at the server reaches every phone of the account, and nobody else's.
    [Tags]    MS-01    MS-04
    Two Phones On One Account And A Stranger
    Server Switches    dnd    on
    Phone Is Told    dnd    on    phone=desk
    Phone Is Told    dnd    on    phone=home
    Phone Hears Nothing More    phone=stranger
    Server Has    dnd    on

Key Press Reaches Both Phones
    [Documentation]    A key pressed on one phone shows on the account's other phone too.
    [Tags]    MS-02    MS-04
    Two Phones On One Account And A Stranger
    Phone Presses    cf_busy    on    ${TARGET}    phone=desk
    Phone Is Told    cf_busy    on    ${TARGET}    phone=desk
    Phone Is Told    cf_busy    on    ${TARGET}    phone=home
    Phone Hears Nothing More    phone=stranger
    Server Has    cf_busy    on    ${TARGET}

One Phone Leaves
    [Documentation]    When one phone unsubscribes, the other goes on being told.
    [Tags]    MS-03    MS-01
    Two Phones On One Account And A Stranger
    Phone Unsubscribes    phone=desk
    Server Switches    dnd    on
    Phone Is Told    dnd    on    phone=home
    Phone Hears Nothing More    phone=desk
    Server Has    dnd    on


*** Keywords ***
Two Phones On One Account And A Stranger
    [Documentation]    The stranger's phone belongs to the bench's other account.
    A Subscribed Phone    phone=desk
    A Subscribed Phone    phone=home
    A Subscribed Phone    phone=stranger    account=other
