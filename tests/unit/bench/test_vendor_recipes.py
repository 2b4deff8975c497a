"""The recipes of the profiles against small services of their products' shape, through the real access."""

import dataclasses
from pathlib import Path

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.admin import Administration
from featuresync.bench.http import HttpAccess
from featuresync.bench.ssh_command import CommandAccess
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Http, SecretRef, load_profile
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeAccess
from .services.commands import AstDb, Oci
from .services.commportal import CommPortal
from .services.openapi import OpenApi
from .services.service import PASSWORD, USERS, HttpService
from .services.shservice import ShService
from .services.xapi import Xapi
from .services.xcap import Xcap, ZteXcap
from .services.xsi import Xsi
from .ssh_server import settings

VENDORS = Path(__file__).parents[3] / "vendors"
PRODUCTS = (Xsi, Oci, ShService, CommPortal, Xapi, OpenApi, Xcap, ZteXcap, AstDb)
MINE, OTHERS = USERS[:2]
LINES = (*USERS, "1999")
"""The lines that the bench knows; the service does not know the last one."""
TARGETS = {Feature.CF_ALWAYS: "1003", Feature.CF_BUSY: "+15551004", Feature.CF_NO_ANSWER: "1005"}


@dataclasses.dataclass
class Site:
    """A service, the recipe that it is for, and the bench file's side of both."""

    service: object
    owner: Path
    opened: list = dataclasses.field(default_factory=list)

    @property
    def recipe(self):
        return load_profile(VENDORS / f"{self.service.vendor}.toml").recipes[self.service.recipe]

    def access(self, recipe, password=PASSWORD):
        service, secret = self.service, self.owner.parent / "password"
        secret.write_text(password)
        secrets = {name: password if word == PASSWORD else word for name, word in service.secrets.items()}
        known = {"values": service.values, "secrets": secrets}
        if isinstance(service, HttpService):
            user = {"user": "admin", "password": SecretRef(file="password")} if recipe.auth != "none" else {}
            made = HttpAccess(
                Http(base_url=service.url, connect=5, command=5, **user), self.owner, recipe, **known
            )
        else:
            secret.write_text(PASSWORD)
            made = CommandAccess(settings(service.server), self.owner, **known)
        self.opened.append(made)
        return made

    def administration(self, recipe=None, password=PASSWORD):
        recipe = recipe or self.recipe
        return Administration(
            recipe,
            self.access(recipe, password),
            values=self.service.values,
            accounts={line: self.service.of_account(line) for line in LINES},
            owner=self.owner,
        )

    def on(self, feature):
        """The feature on, as far as the recipe can say it."""
        rings = 5 if feature is Feature.CF_NO_ANSWER and self.service.rings else None
        return FeatureState(feature, True, TARGETS.get(feature, ""), rings)


class OtherShape(FakeAccess):
    """Answers everything with the same text, whatever kind of step it is asked."""

    def __init__(self, text):
        super().__init__(lambda command: text)

    def check(self, step, known, key):
        pass

    def run(self, step, values):
        return self.obey("")


@pytest.fixture
def open_site(owner, tmp_path):
    """Starts a product's service. Everything ends with the test."""
    sites = []

    def start(product):
        made = product() if issubclass(product, HttpService) else product(tmp_path)
        sites.append(Site(made.__enter__(), owner))
        return sites[-1]

    yield start
    for site in sites:
        for access in site.opened:
            access.close()
        site.service.__exit__()


def named(product):
    return f"{product.vendor}-{product.recipe}"


knowing = pytest.mark.parametrize("site", PRODUCTS[:-1], indirect=True, ids=named)
"""Not the last of them: a table of words has no users and no password but that of SSH."""


@pytest.fixture(params=PRODUCTS, ids=named)
def site(request, open_site):
    return open_site(request.param)


def off(feature):
    return FeatureState(feature, False)


def test_every_recipe_of_every_profile_is_tried_here():
    known = {(file.stem, name) for file in VENDORS.glob("*.toml") for name in load_profile(file).recipes}
    assert known == {(product.vendor, product.recipe) for product in PRODUCTS}


def test_nothing_is_on_at_first(site):
    admin = site.administration()
    assert admin.features == site.service.features
    states = admin.read(MINE)
    assert list(states) == list(site.service.features)
    assert not [state for state in states.values() if state.on or state.number]


def test_each_feature_goes_on_and_off_and_nothing_else_changes(site):
    admin, service = site.administration(), site.service
    before = admin.read(MINE)
    others = dict(service.states[OTHERS])
    for feature in admin.features:
        wanted = site.on(feature)
        admin.set(MINE, wanted)
        assert service.states[MINE][feature].satisfies(wanted)
        states = admin.read(MINE)
        assert states[feature].satisfies(wanted)
        assert states[feature].number == wanted.number
        assert not service.rings or states[feature].rings == wanted.rings
        assert {one for one in before if states[one].on} == {feature}
        # Off, and off once more: what is off already is no error.
        for _ in range(2):
            admin.set(MINE, off(feature))
            assert not service.states[MINE][feature].on
            assert not admin.read(MINE)[feature].on
    assert service.states[OTHERS] == others
    assert not [state for state in admin.read(OTHERS).values() if state.on]


def test_every_forward_has_its_own_number(site):
    admin = site.administration()
    for feature in admin.features:
        admin.set(MINE, site.on(feature))
    states = admin.read(MINE)
    for feature in admin.features:
        assert states[feature].satisfies(site.on(feature))
        assert states[feature].number == TARGETS.get(feature, "")


def test_the_number_of_one_forward_is_not_that_of_another(site):
    admin = site.administration()
    for line, alone in zip(USERS, (one for one in admin.features if one.is_forward), strict=False):
        admin.set(line, site.on(alone))
        numbers = {feature: state.number for feature, state in admin.read(line).items() if state.number}
        assert numbers == {alone: TARGETS[alone]}


def test_a_forward_that_is_off_is_put_back_with_its_number(site):
    admin, service = site.administration(), site.service
    for feature in (one for one in admin.features if one.is_forward):
        wanted = dataclasses.replace(site.on(feature), on=False)
        admin.set(MINE, site.on(feature))
        admin.set(MINE, wanted)
        state = admin.read(MINE)[feature]
        assert not state.on
        assert not service.states[MINE][feature].on
        # AstDB has no place for the number of a forward that is off.
        assert state.number == ("" if service.recipe == "freepbx" else TARGETS[feature])
        admin.set(MINE, off(feature))
        state = admin.read(MINE)[feature]
        assert not state.on
        # Where nobody says how an empty number is written, what is stored stays.
        keeps = service.recipe in ("shservice", "commportal", "openapi")
        assert state.number == (TARGETS[feature] if keeps else "")


def test_an_answer_of_another_shape_is_no_state(site):
    recipe = site.recipe
    said = "This page has moved. Error 100, errcode: 0"
    admin = Administration(recipe.model_copy(update={"ok": "", "find": ()}), OtherShape(said))
    if not recipe.complete:
        # Nothing there is how these say that all is off.
        assert site.service.recipe in ("xcap", "freepbx")
        assert not [state for state in admin.read(MINE).values() if state.on]
        return
    with pytest.raises(BenchFault, match=r"unreadable answer about .*: nothing like"):
        admin.read(MINE)


def test_a_change_that_is_accepted_and_not_made_is_seen(site):
    admin = site.administration()
    site.service.temper = "silent"
    for feature in admin.features:
        admin.set(MINE, site.on(feature))
        assert not admin.read(MINE)[feature].satisfies(site.on(feature))
    assert not [state for state in admin.read(MINE).values() if state.on]


def test_a_refused_change_is_told(site):
    admin = site.administration()
    admin.read(MINE)
    site.service.temper = "fails"
    for feature in admin.features:
        with pytest.raises(BenchFault):
            admin.set(MINE, site.on(feature))
    site.service.temper = "right"
    assert not [state for state in admin.read(MINE).values() if state.on]


@knowing
def test_a_wrong_password_is_told_and_changes_nothing(site):
    service = site.service
    admin = site.administration(password="not the right one")
    with pytest.raises(BenchFault) as caught:
        admin.set(MINE, site.on(admin.features[0]))
    assert isinstance(caught.value, LoginFault) is isinstance(service, HttpService)
    for secret in ("not the right one", PASSWORD):
        assert secret not in f"{caught.value}{site.opened[0].transcript.text()}"
    assert not [state for states in service.states.values() for state in states.values() if state.on]


@knowing
def test_an_account_that_nobody_knows_is_told(site):
    admin = site.administration()
    with pytest.raises(BenchFault):
        admin.read("1999")
    with pytest.raises(BenchFault):
        admin.set("1999", site.on(admin.features[0]))


def test_a_forward_is_not_switched_on_without_a_number(site):
    admin, service, recipe = site.administration(), site.service, site.recipe
    for feature in (one for one in admin.features if one.is_forward):
        with pytest.raises(ConfigFault, match="expected a number"):
            admin.set(MINE, FeatureState(feature, True))
        # And the server says no where a recipe would not ask for one.
        steps = recipe.features[feature].clear
        if service.recipe in ("xcap", "freepbx"):
            continue  # switched off by other means than a word
        blind = recipe.features[feature].model_copy(update={"set": steps})
        careless = recipe.model_copy(update={"features": {**recipe.features, feature.value: blind}})
        with pytest.raises(BenchFault):
            site.administration(careless).set(MINE, FeatureState(feature, True))
        assert not service.states[MINE][feature].on


def test_passwords_and_tokens_are_in_no_transcript(site):
    admin, service = site.administration(), site.service
    for feature in admin.features:
        admin.set(MINE, site.on(feature))
    admin.read(MINE)
    shown = site.opened[0].transcript.text()
    assert "1003" in shown or service.recipe == "xapi"
    held = {*getattr(service, "tokens", ()), *getattr(service, "sessions", ())}
    assert len(held) == (service.recipe in ("xapi", "openapi", "commportal"))
    for secret in {PASSWORD, PASSWORD.replace(" ", "+"), PASSWORD.replace(" ", "%20"), *held}:
        assert secret.partition("&")[0].strip("+ ") not in shown


@pytest.mark.parametrize("product", [CommPortal, Xapi, OpenApi], ids=lambda product: product.recipe)
def test_a_token_that_ran_out_is_renewed(open_site, product):
    site = open_site(product)
    admin = site.administration()
    admin.read(MINE)
    site.service.forget()
    admin.set(MINE, site.on(Feature.DND))
    assert site.service.states[MINE][Feature.DND].on
    site.service.forget()
    assert admin.read(MINE)[Feature.DND].on


# -- each product's own traps: what the recipe is careful about, left out -----------------------------


def changed(recipe, old, new):
    """The recipe with ``old`` replaced wherever it stands."""
    text = recipe.model_dump_json().replace(old, new)
    assert text != recipe.model_dump_json()
    return type(recipe).model_validate_json(text)


def refused(site, recipe, feature=Feature.CF_ALWAYS):
    """What a change by that recipe is answered."""
    with pytest.raises(BenchFault) as caught:
        site.administration(recipe).set(MINE, site.on(feature))
    assert not site.service.states[MINE][feature].on
    return str(caught.value)


def test_xsi_wants_its_elements_in_order(open_site):
    site = open_site(Xsi)
    active, number = "<active>{on}</active>", "<forwardToPhoneNumber>{number}</forwardToPhoneNumber>"
    said = refused(site, changed(site.recipe, active + number, number + active))
    assert "400" in said
    assert "does not follow the schema" in said


def test_an_error_of_xsi_counts_whatever_its_status(open_site):
    site = open_site(Xsi)
    site.service.temper = "fails"
    assert "not assigned" in refused(site, site.recipe)


def test_sh_says_100_or_no(open_site):
    site = open_site(ShService)
    assert "out of sync" in refused(site, changed(site.recipe, "ignoreSequenceNumber=true", ""))
    site.service.temper = "fails"
    assert "<ExtendedResultCode>500" in refused(site, site.recipe)
    blind = site.recipe.model_copy(update={"ok": "", "error": ""})
    site.administration(blind).set(MINE, site.on(Feature.DND))  # nobody would notice
    assert not site.service.states[MINE][Feature.DND].on


def test_openapi_wants_its_user_agent(open_site):
    site = open_site(OpenApi)
    said = refused(site, site.recipe.model_copy(update={"headers": {}}))
    assert "who are you" in said


def test_openapi_fails_with_status_200(open_site):
    site = open_site(OpenApi)
    site.service.temper = "fails"
    assert '"errcode": 60001' in refused(site, site.recipe)
    blind = site.recipe.model_copy(update={"error": ""})
    site.administration(blind).set(MINE, site.on(Feature.DND))  # nobody would notice
    assert not site.service.states[MINE][Feature.DND].on


def test_openapi_finds_more_than_it_was_asked_for(open_site):
    site = open_site(OpenApi)
    find = site.recipe.find[0].model_copy(update={"pattern": r'"id"\s*:\s*(?P<id>\d+)'})
    said = refused(site, site.recipe.model_copy(update={"find": (find,)}))
    assert "id of account 1001 is said to be" in said


def test_a_status_of_another_name_is_no_state(open_site):
    site = open_site(Xapi)
    site.service.status[MINE] = "Away"
    with pytest.raises(BenchFault, match="'Away' is neither 'Out of office' nor 'Available'"):
        site.administration().read(MINE)


@pytest.mark.parametrize("product", [Xcap, ZteXcap], ids=lambda product: product.vendor)
def test_xcap_off_leaves_no_rule_and_minds_the_whole_service(open_site, product):
    site = open_site(product)
    admin = site.administration()
    admin.set(MINE, site.on(Feature.CF_BUSY))
    site.service.served = False
    assert not admin.read(MINE)[Feature.CF_BUSY].on
    site.service.served = True
    assert admin.read(MINE)[Feature.CF_BUSY].on
    rule = site.service.rules[MINE]["cfb"]
    site.service.rules[MINE]["cfb"] = rule.replace("<busy/>", "<busy/><rule-deactivated/>")
    assert not admin.read(MINE)[Feature.CF_BUSY].on
    admin.set(MINE, off(Feature.CF_BUSY))
    assert site.service.rules[MINE] == {}


def test_xcap_cannot_delete_what_is_not_there(open_site):
    site = open_site(Xcap)
    recipe = site.recipe
    bare = recipe.features["cf_busy"].model_copy(update={"set": recipe.features["cf_busy"].clear[1:]})
    said = refused(
        site,
        recipe.model_copy(update={"features": {**recipe.features, "cf_busy": bare}}),
        Feature.CF_BUSY,
    )
    assert "404" in said


def test_xcap_wants_its_media_type(open_site):
    site = open_site(Xcap)
    assert "415" in refused(site, changed(site.recipe, "application/xcap-el+xml", "application/xml"))


def test_the_oci_client_that_answers_nothing(open_site):
    site = open_site(Oci)
    site.service.values["port"] = "31000"
    with pytest.raises(BenchFault, match="the client wrote no answer"):
        site.administration().read(MINE)


def test_an_oci_login_that_is_refused(open_site):
    site = open_site(Oci)
    site.service.password = "another"
    with pytest.raises(BenchFault, match=r"\[Error 4962\] Invalid password"):
        site.administration().read(MINE)


def test_the_release_decides_the_names_of_oci_requests(open_site):
    site = open_site(Oci)
    with pytest.raises(BenchFault, match="ErrorResponse"):
        site.administration(changed(site.recipe, "GetRequest13mp16", "GetRequest")).read(MINE)


def test_the_oci_client_leaves_no_files(open_site, tmp_path, monkeypatch):
    site = open_site(Oci)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    site.administration().read(MINE)
    site.service.password = "another"
    with pytest.raises(BenchFault):
        site.administration().read(MINE)
    assert list(scratch.iterdir()) == []
