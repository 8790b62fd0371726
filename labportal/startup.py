"""What web and worker refuse to start with: settings or a database role that tear down a wall."""

from django.core.checks import Error, run_checks
from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_start() -> None:
    """Run the system checks, those of the database role too. Errors: ImproperlyConfigured with their words."""
    found = [*run_checks(), *run_checks(tags=["database"], databases=["default", "operator"])]
    errors = [str(message) for message in found if isinstance(message, Error)]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))
