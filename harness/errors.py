"""What goes wrong outside the thing under test: bad input, a broken set-up, a missing facility."""

import traceback


class BadInput(Exception):
    """What the user gave cannot be used. The text has the value, what was expected, the remedy."""


class Broken(Exception):
    """The set-up or the harness failed. Never blamed on the kernel or on a subject."""


class NotSetUp(Broken):
    """Nothing can be run at all here, or with these settings: all tests would fail alike."""


class Unsupported(Exception):
    """This machine lacks what is asked for. The text has what is missing and the remedy."""


class Unseen(Exception):
    """What only chance shows has not come, so that nothing is shown: undecided."""


class Halt(BaseException):
    """Carries `error`, which is no violation, out of a Hypothesis test, which stops at it; any
    Exception would be taken for what the test is looking for, and shrunk."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def mistake(error: Exception, sentence: str, remedy: str) -> Broken:
    """What to raise for an exception of code that is not the harness's: with where it came from."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return Broken(
        f"{sentence}: {type(error).__name__}: {error} ({place.filename}, line {place.lineno}); "
        f"{remedy}"
    )
