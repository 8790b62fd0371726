"""Whatever it is given, it crashes."""

import sys

from connector.scans.in_child import answer
from tests.scans.bad_children.any import misbehaving

if __name__ == "__main__":
    sys.exit(answer(lambda *_: misbehaving("crashes")))
