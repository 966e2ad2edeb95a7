"""Starts the processes that the tests of the sandbox look at."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).parents[1])
_PROGRAM = f"import sys; sys.path.insert(0, {_ROOT!r}); from tests.sandboxed import main; main()"
NOBODY = 65534
USERS = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
"""The users that the tests can be: an ordinary one always, and root where there is one."""


def warden(
    function: str, *arguments: Any, place: Path, user: int = USERS[-1], switch: str = "on"
) -> dict[str, Any]:
    """What a function of `tests.sandboxed` returns, in a process of its own; ``seconds`` is how
    long it took after that until nothing of it was left. Fails if anything is."""
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c", _PROGRAM),
            *map(json.dumps, (user if user != os.geteuid() else None, function, arguments)),
        ],
        env={"PATH": os.defpath, "TMPDIR": str(place), "IPC_HARNESS_SANDBOX": switch},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{function}{arguments} failed:\n{done.stderr}"
    report = json.loads(done.stdout)
    return {**report["result"], "reaped": report["reaped"], "seconds": report["seconds"]}
