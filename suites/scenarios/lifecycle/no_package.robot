*** Settings ***
Documentation    A server without the feature package.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:all    side:lifecycle


*** Test Cases ***
Package Refused
    [Documentation]    A server that has no such package says so at once.
    [Tags]    needs:package_refused    SU-07
    Phone Is Registered
    Phone Asks For A Subscription
    Phone Hears Nothing More
    Server Has    dnd    off
