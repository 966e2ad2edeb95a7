"""What goes wrong outside the thing under test: bad input, a broken set-up, a missing facility."""


class BadInput(Exception):
    """What the user gave cannot be used. The text has the value, what was expected, the remedy."""


class Broken(Exception):
    """The set-up or the harness failed. Never blamed on the kernel or on a subject."""


class NotSetUp(Broken):
    """Nothing can be run at all here, or with these settings: all tests would fail alike."""


class Unsupported(Exception):
    """This machine lacks what is asked for. The text has what is missing and the remedy."""


class Halt(BaseException):
    """Carries `error`, which is no violation, out of a Hypothesis test, which stops at it; any
    Exception would be taken for what the test is looking for, and shrunk."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
