"""The report tests draw the same synthetic run as the unit tests of the evidence."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "evidence"))
