"""What goes wrong outside the thing under test: bad input, a broken set-up, a missing facility."""


class BadInput(Exception):
    """What the user gave cannot be used. The text has the value, what was expected, the remedy."""


class Broken(Exception):
    """The set-up or the harness failed. Never blamed on the kernel or on a subject."""


class Unsupported(Exception):
    """This machine lacks what is asked for. The text has what is missing and the remedy."""
