"""Administration over HTTP: requests to one base URL, with a login of whatever kind the recipe says."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Http, Login, Recipe, Request, Step

from .access import NO_VALUES, Access, LoginFault, no_one, printable, step_names
from .http_client import HttpAnswer, HttpClient, NoAnswer
from .http_request import Prepared, check_headers, check_request, prepare
from .placeholders import HIDDEN, names

_TOKEN_LIMIT = 8192
_LIKE_A_TOKEN = re.compile(r"[\w.~+/=-]{16,}")


class HttpAccess(Access):
    """Steps of kind ``http``. The answer is the body, UTF-8, of a response with a status of 2xx.

    Placeholders are percent-encoded in a path, where they may not be empty nor leave the base URL, and
    escaped in a body for its type: inside the strings of JSON (outside of them stand only numbers, true,
    false and null), in XML, in a form. In a header they are put in as they are. A word in braces that is
    no known placeholder is a ConfigFault, wherever it stands.

    ``recipe.login`` is done when its ``{token}`` is first needed, without the headers that name the token,
    and once more when the token is refused (401, or ``login.expired`` found): then the step is sent again.
    It knows the bench's values and secrets, and ``{account}``: a login that names it gives each account its
    own token. Redirects are not followed. A request is never sent twice for another reason.

    The transcript shows neither headers nor secrets, nor what looks like a token in the answer to a login.
    Not for two threads at once.
    """

    def __init__(
        self,
        http: Http,
        owner: Path,
        recipe: Recipe,
        *,
        values: Mapping[str, str] = NO_VALUES,
        secrets: Mapping[str, str] = NO_VALUES,
        clock: Callable[[], float] = time.time,
        on_secret: Callable[[str], None] = no_one,
        key: str = "recipe",
    ) -> None:
        super().__init__(owner, values, secrets, clock, on_secret)
        self._http, self._recipe, self._login = http, recipe, recipe.login
        self._place = f"HTTP {http.base_url}"
        self._tokens: dict[str, str] = {}
        """By account, or the one under ""."""
        self._reached = False
        password = http.password.resolve(owner, "admin.http.password") if http.password else ""
        if recipe.auth != "none" and not (http.user and password):
            missing = "password" if http.user else "user"
            expected = f"a {missing}, as the recipe's auth is {recipe.auth}"
            raise ConfigFault(owner, f"admin.http.{missing}", expected, "nothing")
        if password:
            self._hidden.append(password)
        self._client = HttpClient(http, owner, recipe.auth, password)
        self._check_own(f"{key}.login", f"{key}.headers")

    def check(self, step: Step, known: frozenset[str], key: str) -> None:
        request = _request(step, self._owner)
        token = {"token"} if self._login else set()
        self._demand_known(step_names(step), known | self._secrets.keys() | token, key)
        check_request(request, self._owner, key)

    def shown(self, step: Step, values: Mapping[str, str]) -> str:
        return self._prepare(step, values, HIDDEN).shown

    def connect(self) -> None:
        """Log in, or where there is no login before the first request, see that somebody listens."""
        if self._login is not None and not self._by_account:
            if "" not in self._tokens:
                self._log_in(self._login, {})
            return
        if self._reached:
            return
        try:
            self._client.reach()
            self._reached = True
        except NoAnswer as error:
            raise LoginFault(f"{self._place}: {error}") from None

    def close(self) -> None:
        self._client.close()
        self._tokens.clear()
        self._reached = False

    def abandon(self) -> None:
        """Nothing is half done between two requests."""

    def run(self, step: Step, values: Mapping[str, str]) -> str:
        """Send one request. Raises LoginFault when it never got there or we are not let in, BenchFault when
        the answer does not come, is too long or has another status than 2xx.
        """
        login, account = self._login, values.get("account", "") if self._by_account else ""
        if login is None:
            return self._good(*self._ask(step, values, ""))
        fresh = account not in self._tokens
        if fresh:
            self._log_in(login, values)
        prepared, answer = self._ask(step, values, self._tokens[account])
        if not fresh and (answer.status == 401 or _is_there(login.expired, answer.text)):
            self._log_in(login, values)
            prepared, answer = self._ask(step, values, self._tokens[account])
        return self._good(prepared, answer)

    # -- one request ------------------------------------------------------------------------------

    def _prepare(self, step: Step, values: Mapping[str, str], token: str) -> Prepared:
        secrets = {**self._secrets, "token": token} if self._login else self._secrets
        request = _request(step, self._owner)
        return prepare(request, self._recipe.headers, {**self._values, **values}, secrets, self._owner)

    def _ask(self, step: Step, values: Mapping[str, str], token: str) -> tuple[Prepared, HttpAnswer]:
        prepared = self._prepare(step, values, token)
        started = self._clock()
        answer = self._send(prepared, started)
        self._record(started, prepared.shown, answer.text, _status(answer), sign="")
        return prepared, answer

    def _send(self, prepared: Prepared, started: float) -> HttpAnswer:
        try:
            return self._client.send(prepared)
        except BaseException as error:
            why = str(error) if isinstance(error, NoAnswer) else "given up"
            self._record(started, prepared.shown, f"({why})", "no answer", sign="")
            if not isinstance(error, NoAnswer):
                raise
            kind = LoginFault if error.unsent else BenchFault
            raise kind(f"{self._place}: {_first_line(prepared)}: {self.hide(why)}") from None

    def _good(self, prepared: Prepared, answer: HttpAnswer) -> str:
        if 200 <= answer.status < 300:
            return answer.text
        said = f"{self._place}: {_first_line(prepared)}: {_status(answer)}"
        if answer.location:
            said += f" to {printable(self.hide(answer.location))[:200]}, which is not followed"
        if words := _words(self.hide(answer.text)):
            said += f": {words}"
        if answer.status != 401:
            raise BenchFault(said)
        who = f"user {self._http.user!r}" if self._recipe.auth != "none" else "a request without a login"
        raise LoginFault(f"{said} ({'the token' if self._login else who} is refused)")

    # -- the login --------------------------------------------------------------------------------

    @property
    def _by_account(self) -> bool:
        return self._login is not None and "account" in step_names(self._login.request)

    def _log_in(self, login: Login, values: Mapping[str, str]) -> None:
        """Get a token. Raises LoginFault."""
        account = values["account"] if self._by_account else ""
        known = {**self._values, "account": account}
        headers = {name: line for name, line in self._recipe.headers.items() if "token" not in names([line])}
        prepared = prepare(login.request, headers, known, self._secrets, self._owner)
        self._tokens.pop(account, None)
        started = self._clock()
        try:
            answer = self._send(prepared, started)
        except BenchFault as error:
            raise LoginFault(f"{error}") from None
        token = self._token(login, answer)
        if token:
            self._hidden.append(token)
            self._on_secret(token)
        said = _LIKE_A_TOKEN.sub(_veil, self.hide(answer.text))
        self._record(started, prepared.shown, said, _status(answer), sign="")
        if not token:
            words = _words(said) or "nothing"
            good = 200 <= answer.status < 300
            why = f"no token like {login.pattern!r} in the answer" if good else "login refused"
            raise LoginFault(f"{self._place}: {_first_line(prepared)}: {_status(answer)}: {why}: {words}")
        self._tokens[account] = token

    def _token(self, login: Login, answer: HttpAnswer) -> str:
        match = re.search(login.pattern, answer.text, re.MULTILINE)
        token = (match["token"] or "").strip() if match and 200 <= answer.status < 300 else ""
        return token if token.isprintable() and len(token) <= _TOKEN_LIMIT else ""

    def _check_own(self, login_key: str, headers_key: str) -> None:
        known = self._values.keys() | self._secrets.keys() | {"account"}
        if self._login is not None:
            request = self._login.request
            self._demand_known(step_names(request), frozenset(known), f"{login_key}.request")
            check_request(request, self._owner, f"{login_key}.request")
            if "token" not in re.compile(self._login.pattern).groupindex:
                expected = "a pattern with a group (?P<token>...)"
                raise ConfigFault(self._owner, f"{login_key}.pattern", expected, repr(self._login.pattern))
            known |= {"token"}
        self._demand_known(names(self._recipe.headers.values()), frozenset(known), headers_key)
        check_headers(self._recipe.headers, self._owner, headers_key)


def _request(step: Step, owner: Path) -> Request:
    if isinstance(step, Request):
        return step
    raise ConfigFault(owner, "recipe", "a request", f"a command, {step}")


def _veil(match: re.Match[str]) -> str:
    """A long word with a digit in it may be another token, one to refresh the first, say."""
    return HIDDEN if any(char.isdigit() for char in match[0]) else match[0]


def _is_there(pattern: str, text: str) -> bool:
    return bool(pattern and re.search(pattern, text, re.MULTILINE))


def _status(answer: HttpAnswer) -> str:
    return f"{answer.status} {printable(answer.reason)[:80]}".strip()


def _first_line(prepared: Prepared) -> str:
    return prepared.shown.partition("\n")[0]


def _words(text: str) -> str:
    """What an answer says, its markup taken off, in one short line."""
    return printable(" ".join(re.sub(r"<[^<>]*>", " ", text).split())[:200])
