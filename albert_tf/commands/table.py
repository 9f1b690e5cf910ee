"""Checks as lines that a person reads."""


def print_checks(checks):
    """Prints one line a `Check`: what is promised, and ok or what differs."""
    width = max(len(check.promise) for check in checks)
    for check in checks:
        print(f"{check.promise:<{width}}  {check.difference or 'ok'}")
