"""The layers are checked by a machine, and that check can fail: forbidden imports are planted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that the linter reads."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in ("harness", "models", "properties", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "planted", "contract"),
    [
        ("harness/relation.py", "import models.pipe", "The engine knows no particular mechanism"),
        ("harness/run.py", "import properties.pipe", "The engine knows no particular mechanism"),
        (
            "models/pipe/model.py",
            "import harness.errors",
            "Models know nothing but their vocabulary",
        ),
        ("models/pipe/model.py", "import time", "Models are pure"),
        ("properties/kernel/pipe.py", "import harness.testing", "Actors are forked from a small"),
        ("harness/check/checker.py", "import harness.report.text", "Stages meet only in data"),
        ("harness/spec.py", "import harness.verdict", "Stages meet only in data"),
        ("harness/unplaced.py", "", "Stages meet only in data"),
    ],
)
def test_a_forbidden_import_is_refused(
    checkout: Path, file: str, planted: str, contract: str
) -> None:
    path = checkout / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{planted}\n")
    try:
        found = lint(checkout)
    finally:
        path.unlink() if before is None else path.write_text(before)
    broken = [line for line in found.stdout.splitlines() if " BROKEN" in line]
    assert found.returncode == 1, found.stdout + found.stderr
    assert any(line.startswith(contract) for line in broken), broken


def test_without_one_every_contract_is_kept(checkout: Path) -> None:
    found = lint(checkout)
    assert found.returncode == 0, found.stdout + found.stderr
