"""What the stand-ins of administration services have in common: states, credentials, two ways to fail."""

from __future__ import annotations

from typing import ClassVar, Literal

from featuresync.sync.feature import Feature, FeatureState

from ..http_server import Asked, HttpServer, Said

PASSWORD = "a password & more"
"""The administrator's; with a space and an ampersand, as forms, XML and shells have to escape them."""
USERS = ("1001", "1002", "1003")

Temper = Literal["right", "fails", "silent"]
"""``fails``: changes are refused in the product's way. ``silent``: they are accepted and not made."""


class Service:
    """One product. ``states`` is what it would do with calls; a recipe may only see it over the access."""

    vendor: ClassVar[str]
    recipe: ClassVar[str]
    features: ClassVar[tuple[Feature, ...]] = tuple(Feature)
    rings: ClassVar[bool] = False
    """Whether a ring count can be set."""

    def __init__(self) -> None:
        self.temper: Temper = "right"
        self.values: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.states = {user: {one: FeatureState(one, False) for one in self.features} for user in USERS}

    @staticmethod
    def of_account(user: str) -> dict[str, str]:
        """The account's own placeholders."""
        return {}

    def change(
        self, user: str, feature: Feature, on: bool, number: str | None = None, rings: int | None = None
    ) -> bool:
        """Set a feature; what is None stays. False when a forward would be on without a number."""
        old = self.states[user][feature]
        new = FeatureState(
            feature,
            on,
            old.number if number is None else number,
            old.rings if rings is None else rings,
        )
        if feature.is_forward and new.on and not new.number:
            return False
        if self.temper != "silent":
            self.states[user][feature] = new
        return True


class HttpService(Service):
    """A product that is administered over HTTP: ``answer`` says what it answers."""

    path: ClassVar[str] = ""
    """Of the base URL."""

    def __enter__(self) -> HttpService:
        self.server = HttpServer(self.answer).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    @property
    def url(self) -> str:
        return self.server.url + self.path

    def answer(self, asked: Asked) -> Said:
        raise NotImplementedError
