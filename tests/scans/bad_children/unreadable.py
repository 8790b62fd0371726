"""The child of a check on a disk that gives an input/output error."""

import errno
import sys

from connector.scans.in_child import answer

if __name__ == "__main__":
    sys.exit(answer(lambda *_: {"errno": errno.EIO}))
