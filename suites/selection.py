"""Pre-run modifier: gives a vendor's suite the scenarios that its profile claims.

``robot --prerunmodifier "suites/selection.py;SUITE.JSON" suites``

Of the folders beside ``scenarios`` just the vendor's own is kept. A scenario that the profile does not
claim stays in the run and is skipped with the reason, so that nobody takes its absence for a pass. What
the user did not ask for is left out.
"""

from pathlib import Path

from robot.api import SuiteVisitor, TestSuite

from featuresync.library.claims import skip_reason, wanted
from featuresync.library.suite import SuiteConfig
from featuresync.profile import load_bench, load_profile

SCENARIOS = Path(__file__).parent / "scenarios"


class selection(SuiteVisitor):  # noqa: N801 (Robot finds the class by the file's name)
    """Adds the scenarios, then leaves out and skips tests."""

    def __init__(self, config: str) -> None:
        self.config = SuiteConfig.read(config)
        self.profile = load_profile(Path(self.config.profile))
        self.bench = load_bench(Path(self.config.bench))
        self.phone = self.config.phone()

    def start_suite(self, suite: TestSuite) -> None:
        if suite.parent is None:
            own = (SCENARIOS.name, self.profile.vendor.name)
            suite.suites = [child for child in suite.suites if Path(str(child.source)).name in own]
            suite.name = self.profile.vendor.name
        suite.tests = [t for t in suite.tests if wanted(t.tags, self.config.feature, self.config.side)]
        for test in suite.tests:
            reason = skip_reason(self.profile, test.tags, self.bench, self.phone)
            if reason:
                test.setup = test.teardown = None
                test.body.clear()
                test.body.create_keyword(name="Skip", args=[reason])

    def end_suite(self, suite: TestSuite) -> None:
        suite.suites = [child for child in suite.suites if child.test_count]
