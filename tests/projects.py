"""Folders with tests of their own, in which pytest is run as a user would."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


class Project:
    """A folder with tests of its own, in which pytest is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, text: str, name: str = "test_lock.py") -> "Project":
        (self.folder / name).write_text(text)
        return self

    def test(self, *words: str, **variables: str) -> tuple[int, str]:
        """The exit code of a run of its tests, and all that it printed."""
        run = self.starts(*words, **variables)
        try:
            out, _ = run.communicate(timeout=240)
        finally:
            run.kill()
        return run.returncode, out

    def starts(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """A run of its tests that goes on."""
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:faulthandler", "-q", *words],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": path, "IPC_HARNESS_PROFILE": "dev"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
