*** Settings ***
Documentation    How a phone's subscription starts, lives and ends.

Resource         ../../../fixtures/scenario.resource

Test Setup       Start From A Known State
Test Teardown    Leave Everything As It Was

Test Tags        feature:all    side:lifecycle    by:as-feature-event


*** Test Cases ***
Full State At The Start
    [Documentation]    A phone that has just subscribed is told the state of every feature.
    [Tags]    SU-01    SU-02    SU-03    SU-04    SU-05    SU-20    MP-01    MP-03    MP-04    MP-06
    Server Already Has    dnd    on
    Server Already Has    cf_busy    on    ${TARGET}
    Phone Is Registered
    Phone Subscribes
    Phone Knows The Full State
    Server Has    dnd    on

Head Of A NOTIFY
    [Documentation]    Responses and NOTIFYs of a subscription carry all that the standards ask of them.
    [Tags]    TR-02    TR-06    TR-07    NO-02    NO-03    NO-04    NO-05    NO-06    NO-12
    A Subscribed Phone
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on

Body Of A NOTIFY
    [Documentation]    The documents in NOTIFYs are well-formed and say things in the agreed words.
    [Tags]    BD-01    BD-02    BD-03    BD-13    BD-14
    All Forwards Are Already On
    A Subscribed Phone
    Server Switches    cf_busy    off
    Phone Is Told    cf_busy    off
    Server Has    cf_busy    off

Change While Unsubscribed
    [Documentation]    What was changed while the phone was away shows when it comes back.
    [Tags]    ST-11    SU-20
    A Subscribed Phone
    Phone Unsubscribes
    Server Switches    dnd    on
    Server Switches    cf_always    on    ${TARGET}
    Phone Subscribes
    Phone Knows The Full State
    Server Has    cf_always    on    ${TARGET}

Refresh
    [Documentation]    A refresh keeps the subscription, repeats the full state and makes no second one.
    [Tags]    RF-01    RF-02    RF-04    ST-12
    Server Already Has    cf_no_answer    on    ${TARGET}    rings=5
    A Subscribed Phone
    FOR    ${_}    IN RANGE    5
        Phone Refreshes
    END
    Phone Knows The Full State
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Hears Nothing More
    Server Has    dnd    on

Refresh Restarts The Clock
    [Documentation]    Refreshing a 60 s subscription for 120 s gives it 120 s from then on.
    [Tags]    RF-03    EX-07
    A Subscribed Phone    expires=60
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Refreshes    expires=120
    Server Switches    dnd    off
    Phone Is Told    dnd    off
    Server Has    dnd    off

Set Restarts The Clock
    [Documentation]    Pressing a key is a SUBSCRIBE too: its Expires becomes the new length of the subscription.
    [Tags]    RF-05
    A Subscribed Phone    expires=600
    Phone Presses    dnd    on    expires=120
    Phone Is Told    dnd    on
    Server Has    dnd    on

Time Left Falls
    [Documentation]    Each NOTIFY says how long the subscription still lives.
    [Tags]    EX-07    NO-05
    A Subscribed Phone    expires=120
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Hears Nothing More    listening=3 s
    Server Switches    dnd    off
    Phone Is Told    dnd    off
    Server Has    dnd    off

Moved Phone
    [Documentation]    A phone that gives another port when it refreshes gets its NOTIFYs there.
    [Tags]    RF-07    NO-07
    A Subscribed Phone
    Phone Moves To Another Port
    Phone Refreshes
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on

Unsubscribe
    [Documentation]    Unsubscribing ends the subscription with one last NOTIFY; later changes stay silent.
    [Tags]    UN-01    UN-02    UN-03    UN-04    ST-12
    A Subscribed Phone
    Phone Unsubscribes
    Server Switches    dnd    on
    Phone Hears Nothing More
    Phone Tries The Ended Subscription
    Server Has    dnd    on

Fetch
    [Documentation]    A SUBSCRIBE for zero seconds fetches the full state once.
    [Tags]    UN-05
    Server Already Has    dnd    on
    Phone Is Registered
    Phone Fetches The State
    Phone Knows The Full State
    Server Has    dnd    on

Registered Again
    [Documentation]    State survives the phone registering anew.
    [Tags]    ST-12
    A Subscribed Phone
    Phone Presses    cf_always    on    ${TARGET}
    Phone Is Told    cf_always    on    ${TARGET}
    Phone Unsubscribes
    Phone Unregisters
    A Subscribed Phone
    Phone Knows The Full State
    Server Has    cf_always    on    ${TARGET}

Default Length
    [Documentation]    A SUBSCRIBE that asks for no length is granted one.
    [Tags]    EX-01    SU-03
    Phone Is Registered
    Phone Subscribes    expires=none
    Server Has    dnd    off

Length Too Short
    [Documentation]    A subscription of 5 s is granted or refused with the shortest length; an hour is granted.
    [Tags]    EX-02    SU-04
    Phone Is Registered
    Phone Asks For A Subscription    expires=5
    Phone Subscribes    expires=3600
    Server Has    dnd    off

Shorter Length
    [Documentation]    No subscription is granted for longer than was asked.
    [Tags]    SU-03    SU-04
    A Subscribed Phone    expires=600
    Server Has    dnd    off

Numbered Event
    [Documentation]    A subscription that carries an event id has it repeated in every NOTIFY.
    [Tags]    SU-11
    Phone Is Registered
    Phone Asks For A Subscription    event=as-feature-event;id=7
    Server Has    dnd    off

No Accept Header
    [Documentation]    A phone that names no body types still gets its state.
    [Tags]    SU-12
    Server Already Has    dnd    on
    Phone Is Registered
    Phone Subscribes    accept=none
    Phone Knows The Full State
    Server Has    dnd    on

Plain Accept Header
    [Documentation]    A phone that names just the feature document still gets the full state.
    [Tags]    SU-13
    Server Already Has    dnd    on
    Phone Is Registered
    Phone Subscribes    accept=application/x-as-feature-event+xml
    Phone Knows The Full State
    Server Has    dnd    on

Odd Contact
    [Documentation]    NOTIFYs go to just the Contact that the phone gave, odd as it may look.
    [Tags]    NO-07
    A Subscribed Phone    contact_user=fs-1.x_7    contact_parameters=;line=a7c
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Server Has    dnd    on

Unknown Package
    [Documentation]    A SUBSCRIBE for a package nobody knows is refused with 489 and the list of those known.
    [Tags]    SU-07    SU-08
    Phone Is Registered
    Phone Asks For Options
    Phone Asks For A Subscription    event=x-none
    Server Has    dnd    off

Server Without The Package
    [Documentation]    A server without the package says so at once, and the phone goes on with local features.
    [Tags]    SU-07    needs:package_off
    Phone Is Registered    at=without_package
    Phone Asks For A Subscription
    Phone Presses    dnd    on
    Phone Shows    dnd    on
    Server Has    dnd    off

Feature Sync Off
    [Documentation]    A phone with Feature Sync off is told nothing and shows its own state.
    [Tags]    NO-11    sync:off    needs:feature_sync_needed
    Phone Is Registered    feature_sync=False
    Phone Presses    cf_always    on    ${TARGET}
    Server Switches    dnd    on
    Phone Hears Nothing More
    Phone Shows    dnd    off
    Phone Shows    cf_always    on
    Server Has    dnd    on

Subscribed With Feature Sync Off
    [Documentation]    Where the setting does not matter, a phone with Feature Sync off is kept in step all the same.
    [Tags]    ST-01    ST-09    without:feature_sync_needed    sync:off
    A Subscribed Phone    feature_sync=False
    Server Switches    dnd    on
    Phone Is Told    dnd    on
    Phone Shows    dnd    on
    Phone Presses    dnd    off
    Phone Is Told    dnd    off
    Server Has    dnd    off

Typed Number
    [Documentation]    A number typed with blanks and brackets: whatever the server makes of it is what the phone shows.
    [Tags]    ST-14
    A Subscribed Phone
    Phone Presses    cf_always    on    (555) 0100
    Phone Waits For News
    Server State Is Read

Rapid Changes
    [Documentation]    After twenty changes in quick succession the last one stands, on both sides.
    [Tags]    ST-19    ST-20    NO-08
    A Subscribed Phone
    FOR    ${_}    IN RANGE    10
        Phone Presses    dnd    on
        Phone Presses    dnd    off
    END
    Phone Is Told    dnd    off
    Server Has    dnd    off
