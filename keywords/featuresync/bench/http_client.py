"""The HTTP client: an answer of bounded size that comes in time, or one line that says why not.

Broad ``except Exception``: what a broken server's bytes make the library raise is of any kind.
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Literal, NamedTuple

import httpx

from featuresync.errors import ConfigFault
from featuresync.net.stream import tls_context
from featuresync.profile import Http

from .access import OUTPUT_LIMIT
from .http_request import Prepared

# The libraries log whole URLs, and a token may be in one.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class HttpAnswer(NamedTuple):
    """``text`` is the body as UTF-8, repaired if need be; ``location`` where a redirect points."""

    status: int
    reason: str
    text: str
    location: str


class NoAnswer(Exception):
    """Why there is no answer, in words. ``unsent``: the server never saw the request."""

    def __init__(self, why: str, unsent: bool = False) -> None:
        super().__init__(why)
        self.unsent = unsent


class HttpClient:
    """Requests to ``http.base_url`` and nowhere else; connection and cookies are kept.

    ``http.connect`` limits connecting and the TLS handshake, ``http.command`` each read and write, both
    together the whole of a request with its answer, in seconds. Raises ConfigFault for what the bench file
    has wrong. Not for two threads at once.
    """

    def __init__(
        self, http: Http, owner: Path, auth: Literal["none", "basic", "digest"], password: str
    ) -> None:
        self._http, self._owner = http, owner
        self._base = self._base_url()
        self._auth = httpx.Auth()
        if auth == "basic":
            self._auth = httpx.BasicAuth(http.user, password)
        elif auth == "digest":
            self._auth = httpx.DigestAuth(http.user, password)
        self._client: httpx.Client | None = None

    def reach(self) -> None:
        """Raise NoAnswer unless somebody listens there."""
        port = self._base.port or {"http": 80, "https": 443}[self._base.scheme]
        try:
            socket.create_connection((self._base.host, port), self._http.connect).close()
        except OSError as error:
            raise NoAnswer(self._unreached(error), unsent=True) from None

    def send(self, request: Prepared) -> HttpAnswer:
        """Send a request. Raises NoAnswer, or ConfigFault for a certificate file that cannot be used."""
        client = self._client = self._client or self._new_client()
        try:
            made = client.build_request(
                request.method,
                f"{str(self._base).rstrip('/')}{request.path}",
                headers=request.headers,
                content=request.body or None,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise NoAnswer(f"no such request is possible ({_line(error)})", unsent=True) from None
        assert (made.url.scheme, made.url.netloc) == (self._base.scheme, self._base.netloc), "stays there"
        # The library's limits are for each read, so a server that dribbles could hold us for ever: the
        # request runs in a thread that can be left alone.
        seconds = self._http.connect + self._http.command
        end = time.monotonic() + seconds
        answers: queue.SimpleQueue[HttpAnswer | Exception] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(client, made, end, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=seconds)
        except queue.Empty:
            self._client = None
            raise NoAnswer(f"no whole answer in {seconds:g} s") from None
        except BaseException:
            self._client = None
            raise
        if isinstance(answer, HttpAnswer):
            return answer
        self.close()
        raise self._told(answer) from None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- in the thread ----------------------------------------------------------------------------

    def _work(
        self,
        client: httpx.Client,
        request: httpx.Request,
        end: float,
        answers: queue.SimpleQueue[HttpAnswer | Exception],
    ) -> None:
        try:
            answers.put(self._carry_out(client, request, end))
        except Exception as error:
            answers.put(error)
        finally:
            if client is not self._client:  # nobody waits for it any more
                client.close()

    def _carry_out(self, client: httpx.Client, request: httpx.Request, end: float) -> HttpAnswer:
        # The client itself would read the answer to a first, unauthorised try without a limit.
        flow = self._auth.auth_flow(request)
        request = next(flow)
        while True:
            response = client.send(request, auth=None, stream=True)
            try:
                answer = _read(response, end)
                request = flow.send(response)
            except StopIteration:
                return answer
            finally:
                response.close()

    # -- what went wrong --------------------------------------------------------------------------

    def _base_url(self) -> httpx.URL:
        where = "admin.http.base_url"
        try:
            base = httpx.URL(self._http.base_url)
        except httpx.InvalidURL as error:
            raise ConfigFault(self._owner, where, "a URL", f"{self._http.base_url!r} ({error})") from None
        if not 0 < (base.port or 1) < 65536:
            raise ConfigFault(self._owner, where, "a port from 1 to 65535", str(base.port))
        if base.userinfo:
            expected = "a URL without a user: that is admin.http.user and admin.http.password"
            raise ConfigFault(self._owner, where, expected, f"one with a user, on {base.host}")
        return base

    def _new_client(self) -> httpx.Client:
        http = self._http
        ca = str(self._owner.parent / http.ca) if http.ca else ""
        try:
            # Without TLS a context that trusts nobody will do; loading the system's takes its time.
            secure = self._base.scheme == "https"
            context = tls_context(ca, http.verify) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except OSError as error:
            expected = f"a PEM file of certificates {ca}"
            raise ConfigFault(self._owner, "admin.http.ca", expected, _line(error)) from None
        return httpx.Client(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(http.command, connect=http.connect),
            headers={"User-Agent": "featuresync", "Accept-Encoding": "identity"},
        )

    def _told(self, error: Exception) -> NoAnswer:
        if isinstance(error, NoAnswer):
            return error
        if isinstance(error, httpx.ConnectTimeout):
            return NoAnswer(f"host does not answer in {self._http.connect:g} s", unsent=True)
        if isinstance(error, httpx.ConnectError):
            return NoAnswer(self._unreached(_cause(error)), unsent=True)
        if isinstance(error, httpx.TimeoutException):
            return NoAnswer(f"no answer in {self._http.command:g} s")
        if isinstance(error, httpx.LocalProtocolError):
            return NoAnswer(f"no such request is possible ({_line(error)})", unsent=True)
        if isinstance(error, httpx.ProtocolError):
            return NoAnswer(f"no proper HTTP answer ({_line(error)})")
        if isinstance(error, httpx.TransportError):
            return NoAnswer(f"connection lost ({_line(error)})")
        return NoAnswer(f"the answer is beyond the library ({_line(error)})")

    def _unreached(self, error: BaseException) -> str:
        if isinstance(error, socket.gaierror):
            return f"host name cannot be resolved ({_line(error)})"
        if isinstance(error, TimeoutError):
            return f"host does not answer in {self._http.connect:g} s"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused, nothing listens there"
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"certificate refused ({error.verify_message}); remedy: base_url has the name that the "
                "certificate has, and admin.http.ca the PEM file of its CA"
            )
        if isinstance(error, ssl.SSLError):
            return f"no TLS connection ({_line(error)}); remedy: base_url means http, or another port"
        return f"host unreachable ({_line(error)})"


def _read(response: httpx.Response, end: float) -> HttpAnswer:
    """The answer, read to its end. Raises NoAnswer for one that is too long, too slow or compressed."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoAnswer("a compressed answer, though none was asked for")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > OUTPUT_LIMIT:
            raise NoAnswer(f"an answer of more than {OUTPUT_LIMIT // 1024} kB")
        if time.monotonic() >= end:
            raise NoAnswer("no whole answer in time")
    text, reason = body.decode("utf-8", "replace"), response.reason_phrase
    return HttpAnswer(response.status_code, reason, text, response.headers.get("location", ""))


def _cause(error: BaseException) -> BaseException:
    """The system's own error, below those of the libraries."""
    while not isinstance(error, OSError) and (deeper := error.__cause__ or error.__context__):
        error = deeper
    return error


def _line(error: BaseException) -> str:
    said = " ".join(str(error).split())[:200]
    return said or type(error).__name__
