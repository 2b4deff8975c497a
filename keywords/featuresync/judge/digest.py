"""Digest authentication of SUBSCRIBE (RFC 3261 22, RFC 7616) and who may change what (RFC 6665 4.2.1.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from featuresync.sip.digest import parse_challenges

from .exchange import CHALLENGES, Exchange, Kind
from .rows import M, P, Rows
from .story import Story
from .subscription import Subscription
from .verdict import Finding

DIGEST = Rows()
_REFUSED = (401, 403, 407)


@DIGEST.row(
    "AU-01",
    P,
    "RFC 6665 4.2.1.3",
    "A SUBSCRIBE without credentials is challenged with realm and nonce, and no NOTIFY answers it.",
)
def bare_subscribe_is_challenged(story: Story) -> Iterator[Finding]:
    expected = "401 or 407 with realm and nonce, and no NOTIFY"
    for sub in story.subscriptions:
        exchange = sub.exchanges[0]
        bare = exchange.attempts[0]
        if bare.credentialed or bare.final is None or exchange.kind not in (Kind.START, Kind.FETCH):
            continue
        answer = bare.final.message
        if answer.status in (401, 407):
            offers = parse_challenges(value for name in CHALLENGES for value in answer.headers(name))
            retried = exchange.attempts[1].request.time if len(exchange.attempts) > 1 else math.inf
            told = sub.heard(bare.request.time, retried)
            wrong = [] if any(c.realm and c.nonce for c in offers) else ["no challenge with realm and nonce"]
            wrong += [f"then a NOTIFY ({len(told)} of them)"] if told else []
            yield Finding(not wrong, expected, "; ".join([str(answer.status), *wrong]), bare.final)
        elif story.fact("expect.challenge") is True and answer.status in (200, 202, 403):
            yield Finding(False, expected, f"{answer.status} {answer.reason}", bare.final)


@DIGEST.row("AU-02", P, "RFC 6665 4.2.1.3", "A change sent without valid credentials changes nothing.")
def bare_set_changes_nothing(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.subscribes:
        if exchange.kind is not Kind.SET or exchange.credentialed or story.is_meant(exchange):
            continue
        if _evidence(story, sub, exchange):
            harm = _harm(story, sub, exchange)
            seen = harm or f"{exchange.outcome}, nothing changed"
            yield Finding(not harm, "no change of any feature", seen, exchange.request)


@DIGEST.row(
    "AU-03",
    M,
    "RFC 3261 22.2",
    "The request repeated with the right credentials for the challenge is accepted.",
)
def right_credentials_are_accepted(story: Story) -> Iterator[Finding]:
    for exchange in story.exchanges:
        if exchange.method != "SUBSCRIBE" or exchange.wrong_password or not exchange.credentialed:
            continue
        if len(exchange.attempts) > 1 and exchange.final is not None:
            yield Finding(exchange.status not in _REFUSED, "no further 401, 403 or 407",
                          exchange.outcome, exchange.final)  # fmt: skip


@DIGEST.row("AU-05", M, "RFC 3261 22", "A request with a wrong password is refused and changes nothing.")
def wrong_password_is_refused(story: Story) -> Iterator[Finding]:
    of = {id(exchange): sub for sub, exchange in story.subscribes}
    for exchange in story.exchanges:
        if not exchange.wrong_password or not exchange.credentialed or exchange.final is None:
            continue
        sub = of.get(id(exchange))
        harm = _harm(story, sub, exchange) if sub is not None and exchange.kind is Kind.SET else ""
        seen = f"{exchange.outcome}{', and ' + harm if harm else ''}"
        refused = exchange.status in _REFUSED
        yield Finding(refused and not harm, "401 or 403, and no change", seen, exchange.final)


def _evidence(story: Story, sub: Subscription, exchange: Exchange) -> bool:
    """Whether somebody looked, after the exchange, whether it had changed anything."""
    read = any(r.account == sub.account and r.time >= exchange.answered for r in story.readings)
    return exchange.accepted or read or story.listened(sub.actor, exchange.answered)


def _harm(story: Story, sub: Subscription, exchange: Exchange) -> str:
    """What the exchange changed although it should not have; "" when nothing."""
    asked = exchange.asked
    if asked is None:
        return ""
    before = story.reported(sub.account, asked.feature, exchange.first.time)
    if before is not None and before.satisfies(asked):
        return ""
    sets = [e for s, e in story.subscribes if s.account == sub.account and e.kind is Kind.SET]
    later = [e.first.time for e in sets if e.first.time > exchange.first.time]
    until = min([story.next_change(sub.account, asked.feature, exchange.first.time), *later])
    for report in story.reports:
        said = report.states.get(asked.feature)
        if report.account != sub.account or said is None or not said.satisfies(asked):
            continue
        if exchange.first.time <= report.time < until:
            return f"the server then has {said}"
    return ""
