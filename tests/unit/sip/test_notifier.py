import pytest
from specimen import request, sent

from featuresync.sip.dialog import Dialog
from featuresync.sip.message import Draft, Message
from featuresync.sip.notifier import Notifier
from featuresync.sip.subscription import RefreshDue, Subscriber, SubscriptionState

PACKAGE = "as-feature-event"
TYPE = "application/x-as-feature-event+xml"
PHONE = ("Contact", "<sip:2001@192.0.2.10;x=1>")


def notifier(**settings):
    return Notifier(PACKAGE, "<sip:as@192.0.2.1>", (TYPE, "multipart/mixed"), **settings)


def subscribe(event=PACKAGE, contact=PHONE, expires=None, accept=None, **fields):
    headers = [("Event", event)] if event is not None else []
    headers += [contact] if contact else []
    headers += [("Expires", expires)] if expires is not None else []
    headers += [("Accept", accept)] if accept is not None else []
    return request("SUBSCRIBE", **{"headers": headers, **fields})


def read(draft):
    return Message(Draft(draft.start_line, list(draft.headers), draft.body).encode())


def begun(server, now=0.0, **fields):
    answer, subscription = server.on_subscribe(subscribe(**fields), "s1", now)
    return read(answer), subscription


def state_of(draft):
    return read(draft).header("subscription-state")


def test_a_subscribe_is_granted_and_notified():
    """RFC 6665 4.2.1.1, 4.2.1.2, 4.2.2: 200 with Expires, Contact and tag; NOTIFY with the time left."""
    server = notifier()
    answer, subscription = begun(server, expires="600")
    assert (answer.status, answer.header("expires"), answer.to.tag) == (200, "600", "s1")
    assert answer.header("contact") == "<sip:as@192.0.2.1>"
    notify = sent(server.notify(subscription, 10.5, TYPE, b"<x/>"))
    assert notify.start_line == "NOTIFY sip:2001@192.0.2.10;x=1 SIP/2.0"
    assert (notify.from_.tag, notify.to.tag, notify.cseq) == ("s1", "p1", 1)
    assert notify.header("subscription-state") == "active;expires=589"
    assert (notify.header("event"), notify.header("content-type"), notify.body) == (PACKAGE, TYPE, b"<x/>")
    assert notify.header("contact") == "<sip:as@192.0.2.1>"
    assert notify.problems == ()


def test_content_type_stands_only_with_a_body():
    """NO-12, RFC 3261 20.15."""
    server = notifier()
    _, subscription = begun(server)
    assert not read(server.notify(subscription, 0.0, TYPE)).has("content-type")


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, "1800"), ("60", "60"), ("7200", "3600"), ("0", "0"), ("4294967295", "3600")]
)
def test_the_granted_time(asked, granted):
    """RFC 6665 3.1.1: the default without Expires; shorter than asked is allowed, longer is not."""
    answer, subscription = begun(notifier(default=1800), expires=asked)
    assert (answer.status, answer.header("expires")) == (200, granted)
    assert subscription.expires_at == int(granted)


@pytest.mark.parametrize(
    ("fields", "status", "header", "value"),
    [
        ({"event": "x-none"}, 489, "allow-events", PACKAGE),
        ({"event": "As-Feature-Event"}, 489, "allow-events", PACKAGE),
        ({"event": None}, 489, "allow-events", PACKAGE),
        ({"contact": None}, 400, "contact", ""),
        ({"expires": "soon"}, 400, "expires", ""),
        ({"expires": "9" * 5000}, 400, "expires", ""),
        ({"expires": ""}, 400, "expires", ""),
        ({"expires": "59"}, 423, "min-expires", "60"),
        ({"accept": "application/pidf+xml"}, 406, "expires", ""),
        ({"to_tag": "gone"}, 481, "expires", ""),
    ],
    ids=str,
)
def test_what_is_refused_leaves_nothing(fields, status, header, value):
    """RFC 6665 4.2.1.1, 8.2.1, 8.3.2; RFC 3261 12.2.2."""
    server = notifier()
    answer, subscription = begun(server, **fields)
    assert (answer.status, answer.header(header), subscription) == (status, value, None)
    assert (server.subscriptions, server.deadline()) == ([], None)


@pytest.mark.parametrize("accept", [None, TYPE, "text/plain, multipart/mixed;q=0.5", "*/*", "application/*"])
def test_accept_that_allows_one_of_our_types_is_fine(accept):
    """RFC 6665 3.2.1."""
    assert begun(notifier(), accept=accept)[0].status == 200


def test_too_brief_is_only_said_of_less_than_an_hour():
    """RFC 6665 4.2.1.1."""
    answer, _ = begun(notifier(minimum=7200, maximum=9000), expires="3600")
    assert answer.status == 200


def test_the_id_of_the_event_is_repeated():
    """RFC 6665 8.2.1."""
    server = notifier()
    _, subscription = begun(server, event=f"{PACKAGE};id=7")
    assert read(server.notify(subscription, 0.0)).header("event") == f"{PACKAGE};id=7"
    answers = [begun(server, event=PACKAGE + id_, to_tag="s1", cseq=2) for id_ in ("", ";id=8", ";id=7")]
    assert [answer.status for answer, _ in answers] == [481, 481, 200]


def test_a_refresh_keeps_the_dialog_moves_the_clock_and_the_target():
    """RF-01, RF-03, RF-04, RF-07: RFC 6665 4.2.1.4, RFC 3261 12.2.2."""
    server = notifier()
    _, first = begun(server, expires="600")
    moved = ("Contact", "<sip:new>")
    answer, again = begun(server, 300.0, expires="600", to_tag="s1", cseq=2, contact=moved)
    assert (answer.status, answer.to.tag, again) == (200, "s1", first)
    assert (server.subscriptions, server.deadline()) == ([first], 900)
    assert read(server.notify(first, 300.0)).request_uri == "sip:new"


@pytest.mark.parametrize("cseq", [1, 2])
def test_a_refresh_out_of_order_is_refused_and_changes_nothing(cseq):
    """CO-01, CO-02: RFC 3261 12.2.2."""
    server = notifier()
    begun(server, cseq=2, expires="600")
    answer, subscription = begun(server, 100.0, cseq=cseq, to_tag="s1", expires="600")
    assert (answer.status, subscription, server.deadline()) == (500, None, 600)


def test_an_end_is_notified_once_and_then_unknown():
    """UN-01 to UN-04: RFC 6665 4.2.1.4."""
    server = notifier()
    begun(server)
    answer, subscription = begun(server, 5.0, expires="0", to_tag="s1", cseq=2)
    assert (answer.status, answer.header("expires")) == (200, "0")
    assert state_of(server.notify(subscription, 5.0)) == "terminated;reason=timeout"
    assert (server.subscriptions, server.deadline()) == ([], None)
    assert begun(server, 6.0, to_tag="s1", cseq=3)[0].status == 481


def test_a_fetch_leaves_no_subscription():
    """UN-05: RFC 6665 4.4.3."""
    server = notifier()
    answer, subscription = begun(server, expires="0")
    assert (answer.status, server.deadline()) == (200, None)
    notify = read(server.notify(subscription, 0.0, TYPE, b"<x/>"))
    assert (notify.header("subscription-state"), notify.body) == ("terminated;reason=timeout", b"<x/>")
    assert server.subscriptions == []


def test_an_expired_subscription_gets_its_last_notify():
    """RFC 6665 4.2.1.4."""
    server = notifier()
    _, subscription = begun(server, expires="60")
    assert server.deadline() == 60
    assert server.tick(59.9) == []
    assert server.tick(60.0) == [subscription]
    assert server.tick(60.0) == []
    assert state_of(server.notify(subscription, 60.0)) == "terminated;reason=timeout"
    assert server.subscriptions == []


def test_terminating_says_why_and_when_to_come_back():
    """RFC 6665 4.2.2."""
    server = notifier()
    _, subscription = begun(server)
    server.terminate(subscription, "probation", 30)
    assert state_of(server.notify(subscription, 1.0)) == "terminated;reason=probation;retry-after=30"
    assert server.subscriptions == []


@pytest.mark.parametrize(
    ("status", "left"),
    [(200, 1), (401, 1), (407, 1), (500, 1), (603, 1), (481, 0), (489, 0), (404, 0), (604, 0), (408, 0)],
)
def test_the_response_to_a_notify_may_remove_the_subscription(status, left):
    """MS-05, MS-06, NO-13: RFC 6665 4.2.2. Another phone's subscription is never touched."""
    server = notifier()
    _, one = begun(server)
    _, other = begun(server, call_id="c2")
    server.on_notify_response(one, status)
    server.on_notify_response(one, status)
    assert server.subscriptions == [one, other][1 - left :]


# -- against the subscriber, in virtual time ------------------------------------------------------


class Pair:
    """A subscriber and the notifier, with a network of no delay between them."""

    def __init__(self, expires, **settings):
        self.server, self.phone = notifier(**settings), Subscriber(PACKAGE)
        self.expires, self.now, self.states, self.log = expires, 0.0, [], []
        self.subscribe(subscribe(expires=str(expires)))

    def subscribe(self, message, notify_first=False):
        self.phone.on_sent(message, self.now)
        answer, subscription = self.server.on_subscribe(message, "s1", self.now)
        steps = [lambda: self.phone.on_response(read(answer), self.now)]
        if subscription:
            steps.insert(0 if notify_first else 1, lambda: self.notify(subscription))
        for step in steps:
            step()
        self.log.append((self.now, read(answer).status))

    def refresh(self, expires, **how):
        headers = [PHONE, ("Event", PACKAGE), ("Expires", str(expires))]
        self.subscribe(sent(self.phone.dialog.request("SUBSCRIBE", headers)), **how)

    def notify(self, subscription):
        message = sent(self.server.notify(subscription, self.now))
        self.states.append(message.header("subscription-state"))
        self.server.on_notify_response(subscription, self.phone.on_notify(message, self.now))

    def run(self, until, refreshes=True):
        while (
            due := min(filter(None, (self.phone.deadline(), self.server.deadline())), default=until)
        ) < until:
            self.now = due
            for event in self.phone.tick(due):
                if event == RefreshDue() and refreshes:
                    self.refresh(self.expires)
            for subscription in self.server.tick(due):
                self.notify(subscription)
        self.now = until


def test_a_day_of_refreshes_keeps_one_subscription():
    pair = Pair(3600)
    pair.run(86400)
    assert pair.phone.state is SubscriptionState.ACTIVE
    assert len(pair.server.subscriptions) == 1
    assert pair.log == [(3536.0 * n, 200) for n in range(25)]
    assert set(pair.states) == {"active;expires=3600"}
    assert pair.phone.problems == []


def test_a_phone_that_does_not_refresh_is_ended_by_both():
    pair = Pair(60)
    pair.run(1000, refreshes=False)
    assert pair.states == ["active;expires=60", "terminated;reason=timeout"]
    assert (pair.phone.state, pair.server.subscriptions) == (SubscriptionState.TERMINATED, [])


@pytest.mark.parametrize("notify_first", [False, True])
def test_ending_leaves_nothing_on_either_side(notify_first):
    pair = Pair(600)
    pair.now = 5.0
    pair.refresh(0, notify_first=notify_first)
    assert pair.states == ["active;expires=600", "terminated;reason=timeout"]
    assert (pair.phone.state, pair.phone.deadline()) == (SubscriptionState.TERMINATED, None)
    assert (pair.server.subscriptions, pair.server.deadline()) == ([], None)
    assert pair.phone.problems == []


def test_a_server_that_lost_its_memory_makes_the_phone_start_again():
    """CO-08, PH-04: 481 to the refresh."""
    pair = Pair(600)
    pair.server.subscriptions.clear()
    pair.run(537)
    assert pair.log == [(0.0, 200), (536.0, 481)]
    assert (pair.phone.state, pair.phone.resubscribe_at) == (SubscriptionState.TERMINATED, 536.0)


def test_a_server_that_grants_less_is_refreshed_in_its_time():
    pair = Pair(3600, maximum=120)
    pair.run(200)
    assert pair.log == [(0.0, 200), (60.0, 200), (120.0, 200), (180.0, 200)]


def test_the_dialogs_of_both_ends_mirror_each_other():
    """RFC 3261 12.1."""
    pair = Pair(600)
    ours, theirs = pair.phone.dialog, pair.server.subscriptions[0].dialog
    assert isinstance(theirs, Dialog)
    assert (ours.local_tag, ours.remote_tag) == (theirs.remote_tag, theirs.local_tag)
    assert (ours.local_cseq, ours.remote_cseq) == (theirs.remote_cseq, theirs.local_cseq) == (1, 1)
