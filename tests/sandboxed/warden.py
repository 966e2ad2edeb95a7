"""A warden: a process that does one thing, and reports only once all that it started has ended.

It is the subreaper of whatever comes of it, so that what outlives a run is found without knowing
it. It may be another user's, and may be refused namespaces.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.execute import launcher, namespaces
from harness.references import resolve
from tests.sandboxed.refusals import refuse
from tests.sandboxed.runs import BOUND, reap_all

_ROOT = str(Path(__file__).parents[2])
_PROGRAM = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); from tests.sandboxed.warden import main; main()"
)
_NOBODY = 65534
USERS = [0, _NOBODY] if os.geteuid() == 0 else [os.geteuid()]
"""The users that the tests can be: an ordinary one always, and root where there is one."""


def warden(
    function: Callable[..., dict[str, Any]],
    *arguments: Any,
    place: Path,
    user: int = USERS[-1],
    switch: str = "on",
    denied: Sequence[str] = (),
    seconds: int = BOUND,
) -> dict[str, Any]:
    """What a function of `tests.sandboxed` returns, carried out in a warden of this user's which
    is refused the namespaces ``denied``; ``reaped`` is how many processes ended after that. Fails
    if any has not within ``seconds`` of the start. Arguments and result are JSON."""
    name = f"{function.__module__}:{function.__qualname__}"
    other = user if user != os.geteuid() else None
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c", _PROGRAM),
            json.dumps((other, denied, seconds, name, arguments)),
        ],
        env={"PATH": os.defpath, "TMPDIR": str(place), "IPC_HARNESS_SANDBOX": switch},
        check=False,
        capture_output=True,
        text=True,
        timeout=3 * seconds,
    )
    assert done.returncode == 0, f"{name}{arguments} failed:\n{done.stderr}"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    """The warden itself."""
    user, denied, seconds, name, arguments = json.loads(sys.argv[1])
    # While this user can still read it.
    function = resolve(name)
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        # This stands for a login as that user, whose processes are like any others.
        namespaces.prctl(namespaces.PR_SET_DUMPABLE, 1)
    namespaces.prctl(namespaces.PR_SET_CHILD_SUBREAPER, 1)
    if denied:
        refuse(denied)
    signal.signal(signal.SIGALRM, _report_left)
    signal.alarm(seconds)
    result = function(*arguments)
    print(json.dumps({**result, "reaped": reap_all()}))


def _report_left(*_: object) -> NoReturn:
    left = [Path(f"/proc/{pid}/stat").read_text() for pid in launcher.children(os.getpid())]
    launcher.end_descendants()
    print("left behind:", *left, file=sys.stderr)
    traceback.print_stack()
    os._exit(3)
