"""Fixtures that several test modules use."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.sandboxed.inside import look_around
from tests.sandboxed.warden import warden

# A slow machine is no failure.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can write and enter; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="ipch-test-", dir="/tmp") as path:
        os.chmod(path, 0o1777)
        yield Path(path)
        assert os.listdir(path) == []


@pytest.fixture(scope="session")
def refused() -> dict[str, str]:
    """What an ordinary user's run lacks on this machine, other users aside."""
    with tempfile.TemporaryDirectory(prefix="ipch-test-", dir="/tmp") as path:
        os.chmod(path, 0o1777)
        missing: dict[str, str] = warden(look_around, place=Path(path))["missing"]
    return {name: lack for name, lack in missing.items() if name != "users"}


@pytest.fixture
def isolating(refused: dict[str, str]) -> None:
    """Skips what needs namespaces where there are none, and says so."""
    if refused:
        pytest.skip("; ".join(f"{name}: {lack}" for name, lack in refused.items()))
