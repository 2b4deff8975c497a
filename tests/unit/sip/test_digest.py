import hashlib
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from featuresync.sip.digest import (
    SUPPORTED,
    Answer,
    Authenticator,
    Challenge,
    Credentials,
    digest,
    parse_challenges,
    response_of,
    secret_of,
    verify,
)
from featuresync.sip.message import Draft, Message

NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE_7616 = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CREDENTIALS = Credentials("2001", "secret")
URI = "sip:as.example.net"


def answered(value: str) -> Answer:
    answer = Answer.parse(value)
    assert answer.problems == ()
    return answer


# -- vectors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_3_9_1(algorithm, response):
    challenge = Challenge("http-auth@example.org", NONCE_7616, algorithm, ("auth", "auth-int"), OPAQUE_7616)
    value = Credentials("Mufasa", "Circle of Life").answer(
        challenge, "GET", "/dir/index.html", b"", 1, CNONCE_7616
    )
    assert value == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        f'nonce="{NONCE_7616}", uri="/dir/index.html", response="{response}", opaque="{OPAQUE_7616}", '
        f'cnonce="{CNONCE_7616}", algorithm={algorithm}, qop=auth, nc=00000001'
    )


@pytest.mark.skipif("SHA-512-256" not in SUPPORTED, reason="this OpenSSL has no SHA-512/256")
def test_rfc_7616_3_9_2():
    # As corrected by erratum 4897: the printed values come from a cut SHA-512, not from SHA-512/256.
    user, realm, password = "Jäsøn Doe", "api@example.org", "Secret, or not?"
    challenge = Challenge(realm, "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "SHA-512-256", ("auth",))
    value = Credentials(user, password).answer(
        challenge, "GET", "/doe.json", b"", 1, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    )
    assert (
        digest("SHA-512-256", f"{user}:{realm}")
        == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    )
    assert answered(value).response == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    hashed = digest("SHA-512-256", f"{user}:{realm}")
    value = value.replace(user, hashed) + ", userhash=true"

    def lookup(answer: Answer) -> str | None:
        return secret_of(user, realm, password, answer.algorithm) if answer.username == hashed else None

    answer, refused = verify(value, "GET", b"", lookup)
    assert (answer.userhash, refused) == (True, "")


def test_rfc_2069_style_without_qop():
    # RFC 2617's example account, answered without qop.
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    value = Credentials("Mufasa", "Circle Of Life").answer(challenge, "GET", "/dir/index.html", b"", 1, "c")
    assert answered(value).response == "670fd8c2df070c60b045671b8b24ff02"
    assert "cnonce" not in value
    assert "nc=" not in value


def test_auth_int_and_session_by_hand():
    def h(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    value = CREDENTIALS.answer(
        Challenge("r", "n", "SHA-256-sess", ("auth-int",)), "INFO", "sip:x", b"body", 10, "c"
    )
    ha1 = h(h("2001:r:secret") + ":n:c")
    due = h(f"{ha1}:n:0000000a:c:auth-int:" + h("INFO:sip:x:" + h("body")))
    assert answered(value).response == due
    assert (answered(value).qop, answered(value).nc) == ("auth-int", 10)


# -- reading challenges -------------------------------------------------------------------------


def test_a_challenge_is_read():
    (one,) = parse_challenges(
        ['digest  Realm="a, \\"b\\" c" ,nonce = "n=,1", algorithm=sha-256,qop="auth-int, AUTH",opaque="",'
         'stale=TRUE, userhash=true, domain="sip:x", charset=UTF-8']
    )  # fmt: skip
    assert one == Challenge(
        'a, "b" c', "n=,1", "SHA-256", ("auth-int", "auth"), "", True, True, problems=(), answerable=True
    )


def test_challenges_come_in_headers_of_their_own_or_joined():
    apart = [
        'Digest realm="a", nonce="1", algorithm=SHA-256',
        'Digest realm="a", nonce="2"',
        'Basic realm="b"',
    ]
    assert parse_challenges(apart) == parse_challenges([", ".join(apart)])
    assert [(c.nonce, c.algorithm, c.answerable) for c in parse_challenges(apart)] == [
        ("1", "SHA-256", True),
        ("2", "MD5", True),
        ("", "", False),
    ]


@pytest.mark.parametrize(
    ("value", "problems", "answerable"),
    [
        ('Basic realm="x"', ("scheme 'Basic' is not Digest",), False),
        ('realm="x", nonce="1"', ("scheme '' is not Digest",), False),
        ("Digest", ("no realm", "no nonce"), False),
        ('Digest realm="x"', ("no nonce",), False),
        ('Digest realm="x", nonce="1", algorithm=SHA-1', ("algorithm 'SHA-1' is not supported",), False),
        ('Digest realm="x", nonce="1", qop="token"', ("no supported qop in 'token'",), False),
        ('Digest realm="x", nonce="1", nonce="2"', ("nonce stands twice",), True),
        ('Digest realm="x", nonce="1", a=b c', ("unreadable parameter 'a=b c'",), True),
        ('Digest realm=x, nonce="1", qop=auth', ("realm is not quoted", "qop is not quoted"), True),
        (
            'Digest realm="x", nonce="1", algorithm="MD5", stale="true"',
            ("algorithm is quoted", "stale is quoted"),
            True,
        ),
    ],
)
def test_what_is_wrong_with_a_challenge(value, problems, answerable):
    assert [(c.problems, c.answerable) for c in parse_challenges([value])] == [(problems, answerable)]


def test_an_empty_header_holds_no_challenge():
    assert parse_challenges(["", " , "]) == []


def test_a_written_challenge_reads_back_equal():
    challenge = Challenge('a "b"', "n\\1", "SHA-256-sess", ("auth", "auth-int"), "o", True, True)
    assert parse_challenges([str(challenge)]) == [challenge]


@given(st.lists(st.text(max_size=80) | st.text('Digest nonce="realm,\\ ', max_size=80), max_size=3))
@example(["Digest " + "a=b," * 5000])
@example(["Digest a=" + '"' * 9000])
@example(["Basic x, " * 100])
def test_reading_never_raises(values):
    assert len(parse_challenges(values)) <= 32
    for value in values:
        Answer.parse(value)
        assert isinstance(verify(value, "X", b"", lambda _: "0" * 32)[1], str)


# -- answering and verifying --------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", SUPPORTED)
@pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int",), ("auth-int", "auth")])
def test_every_combination_verifies_and_notices_what_was_changed(algorithm, qop):
    challenge = Challenge("r", "n", algorithm, qop, "o")
    value = CREDENTIALS.answer(challenge, "SUBSCRIBE", URI, b"body", 3, "c")

    def refused(
        value: str, method: str = "SUBSCRIBE", body: bytes = b"body", password: str = "secret"
    ) -> str:
        return verify(value, method, body, lambda a: secret_of(a.username, a.realm, password, a.algorithm))[1]

    assert refused(value) == ""
    assert refused(value, method="REGISTER") == "wrong response"
    assert refused(value, password="Secret") == "wrong response"
    assert refused(value.replace(URI, URI + "x")) == "wrong response"
    assert refused(value.replace('nonce="n"', 'nonce="m"')) == "wrong response"
    assert refused(value, body=b"other") == ("wrong response" if qop == ("auth-int",) else "")
    if qop:
        assert refused(value.replace("nc=00000003", "nc=00000004")) == "wrong response"
    assert verify(value, "SUBSCRIBE", b"body", lambda _: None)[1] == "unknown user"


def test_special_characters_are_quoted_and_come_back():
    credentials = Credentials('a"\\b', "p")
    value = credentials.answer(Challenge('r"1', "n\\", qop=("auth",)), "X", "sip:x", b"", 1, "c")
    answer = answered(value)
    assert (answer.username, answer.realm, answer.nonce) == ('a"\\b', 'r"1', "n\\")
    assert verify(value, "X", b"", lambda a: secret_of('a"\\b', 'r"1', "p"))[1] == ""


def test_unreadable_credentials_are_refused_in_words():
    assert Answer.parse("Basic abc").problems[0] == "not one set of Digest credentials"
    value = CREDENTIALS.answer(Challenge("r", "n", qop=("auth",)), "X", URI, b"", 1, "c")
    assert verify(value.replace("nc=00000001", "nc=1"), "X", b"", lambda _: "")[1] == (
        "qop without cnonce and an nc of 8 hex digits"
    )
    assert verify(value.replace("response=", "reply="), "X", b"", lambda _: "")[1] == "no response"
    assert (
        verify(value.replace("MD5", "MD6"), "X", b"", lambda _: "")[1] == "algorithm 'MD6' is not supported"
    )
    assert verify(value.replace("qop=auth", "qop=x"), "X", b"", lambda _: "")[1] == "qop 'x' is not supported"


def test_the_password_is_not_shown():
    assert "secret" not in repr(CREDENTIALS)


def test_the_hash_of_user_and_password_is_made_once(monkeypatch):
    made = []
    monkeypatch.setattr(
        "featuresync.sip.digest.secret_of", lambda *words: made.append(words) or secret_of(*words)
    )
    credentials = Credentials("u", "p")
    for realm, algorithm in [("r", "MD5"), ("r", "MD5-sess"), ("r", "MD5"), ("r", "SHA-256"), ("s", "MD5")]:
        credentials.answer(Challenge(realm, "n", algorithm), "X", URI, b"", 1, "c")
    assert [(realm, algorithm) for _, realm, _, algorithm in made] == [
        ("r", "MD5"),
        ("r", "SHA-256"),
        ("s", "MD5"),
    ]


# -- the authenticator --------------------------------------------------------------------------


def challenged(*values: str, cseq: int = 1, status: int = 401, call_id: str = "c1") -> Message:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    draft = Draft(f"SIP/2.0 {status} Who", [("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER")])
    for value in values:
        draft.add(name, value)
    return Message(draft.encode())


def authenticator() -> Authenticator:
    numbers = count(1)
    return Authenticator(CREDENTIALS, lambda: f"t{next(numbers)}")


def offer(nonce: str, realm: str = "r", more: str = ', qop="auth"') -> str:
    return f'Digest realm="{realm}", nonce="{nonce}"{more}'


def test_nothing_is_answered_before_a_challenge():
    auth = authenticator()
    assert auth.header("REGISTER", URI) is None
    assert auth.headers("REGISTER", URI) == []
    assert auth.remember(challenged(offer("1"), status=403)) is False


def test_the_nonce_count_rises_with_a_fresh_cnonce():
    auth = authenticator()
    assert auth.remember(challenged(offer("1")))
    answers = [answered(auth.header("SUBSCRIBE", URI)[1]) for _ in range(3)]
    assert [(a.nonce, a.nc, a.cnonce) for a in answers] == [("1", 1, "t1"), ("1", 2, "t2"), ("1", 3, "t3")]
    auth.remember(challenged(offer("2"), cseq=9))
    assert answered(auth.header("SUBSCRIBE", URI)[1]).nc == 1
    auth.remember(challenged(offer("2"), cseq=20))
    assert answered(auth.header("SUBSCRIBE", URI)[1]).nc == 2


def test_a_session_keeps_its_first_cnonce():
    auth = authenticator()
    auth.remember(challenged(offer("1", more=', qop="auth", algorithm=MD5-sess')))
    answers = [answered(auth.header("X", URI)[1]) for _ in range(2)]
    assert [(a.nc, a.cnonce) for a in answers] == [(1, "t1"), (2, "t1")]


def test_the_topmost_supported_challenge_counts():
    auth = authenticator()
    tops = (
        'Bearer realm="r"',
        offer("0", more=", algorithm=SHA3-256"),
        offer("1", more=", algorithm=SHA-256"),
        offer("2"),
    )
    assert auth.remember(challenged(*tops))
    assert answered(auth.header("X", URI)[1]).algorithm == "SHA-256"
    assert auth.remember(challenged(", ".join(reversed(tops)), cseq=5))
    assert answered(auth.header("X", URI)[1]).nonce == "2"


@pytest.mark.parametrize("values", [(), ('Basic realm="r"',), (offer("1", more=", algorithm=SHA-1"),)])
def test_no_retry_without_a_challenge_it_can_answer(values):
    auth = authenticator()
    assert auth.remember(challenged(*values)) is False
    assert auth.header("X", URI) is None


@pytest.mark.parametrize("nonce", ["1", "2"])
def test_no_retry_when_the_retry_was_refused(nonce):
    auth = authenticator()
    assert auth.remember(challenged(offer("1"), cseq=1))
    assert auth.remember(challenged(offer(nonce), cseq=2)) is False


def test_a_stale_nonce_is_retried_but_not_for_ever():
    auth = authenticator()
    stale = [challenged(offer(str(n), more=", stale=true"), cseq=n) for n in range(1, 5)]
    assert [auth.remember(response) for response in stale] == [True, True, True, False]


def test_later_requests_start_anew():
    auth = authenticator()
    assert auth.remember(challenged(offer("1"), cseq=1))
    # The retry (CSeq 2) was accepted; the refresh has CSeq 3 and meets a challenge again.
    assert auth.remember(challenged(offer("1"), cseq=3))
    # Another call with the very same nonce is no refusal of ours either.
    assert auth.remember(challenged(offer("1"), cseq=4, call_id="c2"))
    assert auth.remember(challenged(offer("2"), cseq=5, call_id="c2")) is False


def test_server_and_proxy_are_answered_by_name():
    auth = authenticator()
    auth.remember(challenged(offer("1")))
    auth.remember(challenged(offer("2", realm="p"), cseq=2, status=407))
    name, value = auth.header("X", URI)
    assert (name, answered(value).realm) == ("Proxy-Authorization", "p")
    assert [name for name, _ in auth.headers("X", URI)] == ["Authorization", "Proxy-Authorization"]


def test_memory_is_bounded():
    auth = authenticator()
    for n in range(200):
        auth.remember(challenged(offer("1", realm=str(n)), call_id=str(n)))
    assert len(auth.headers("X", URI)) == 64


def test_body_counts_only_with_auth_int():
    auth = authenticator()
    auth.remember(challenged(offer("1", more=', qop="auth-int"')))
    value = auth.header("SUBSCRIBE", URI, b"body")[1]
    assert verify(value, "SUBSCRIBE", b"body", lambda a: secret_of("2001", "r", "secret"))[1] == ""
    assert verify(value, "SUBSCRIBE", b"", lambda a: secret_of("2001", "r", "secret"))[1] == "wrong response"


def test_an_unknown_algorithm_cannot_be_computed():
    with pytest.raises(KeyError):
        response_of("s", "SHA-1", "n", "X", URI)
