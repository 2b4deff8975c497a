*** Settings ***
Documentation    BroadSoft tells the whole state at once: one NOTIFY, one part for each feature.

Resource         ../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:all    side:lifecycle


*** Test Cases ***
Full State In One NOTIFY
    [Documentation]    With all three forwards set, one multipart NOTIFY tells every feature once.
    [Tags]    SU-20    MP-01    MP-03    MP-04    MP-06    BD-09
    All Forwards Are Already On
    Phone Is Registered
    Phone Subscribes
    Phone Knows The Full State
    Server Has    dnd    off
