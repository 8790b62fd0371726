"""Ends with 0 when the portal on this machine answers /healthz: the image's HEALTHCHECK."""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def main() -> int:
    """Ask under the portal's public name: a request for another host is refused before it is looked at."""
    host = urlsplit(os.environ.get("BASE_URL", "http://localhost")).netloc
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", headers={"Host": host}
    )
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 — as above
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, TimeoutError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
