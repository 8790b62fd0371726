#!/usr/bin/env python3
"""Django's command line for the portal."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labportal.settings")
    from django.core.management import execute_from_command_line

    from labportal.audit.context import COMMAND, Actor, acting

    with acting(Actor(COMMAND, code=" ".join(sys.argv[1:2]))):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
