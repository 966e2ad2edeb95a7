"""The README is true: its example runs, and finds what its first screen shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the example's two files."""
    for name, text in re.findall(r"```python\n# (\S+)\n(.*?)```", README, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def steps_in(text: str) -> list[str]:
    """What a shown program does. Which of A's death and B's call comes first is left open: both
    are as small, so shrinking may end at either."""
    return sorted(re.findall(r"^ +[0-9]+  (\S.*?)  +(?:returns|sleeps|is)", text, re.MULTILINE))


@pytest.mark.parametrize("more", [{}, {"CI": "true"}], ids=["at a desk", "for a CI"])
def test_the_example_finds_the_bug_that_the_first_screen_shows(
    example: Path, more: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    found = subprocess.run(
        [*command, "test_token_lock.py", "-k", "[0]"],
        cwd=example,
        env=os.environ | {"IPC_HARNESS_PROFILE": "dev"} | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.returncode == 1, found.stdout + found.stderr
    (shown,) = re.findall(r"```text\n(violated: .*?)```", README, re.DOTALL)
    assert found.stdout.count(f"\n{shown.splitlines()[0]}\n") == 1
    assert steps_in(found.stdout) == steps_in(shown)
    (page,) = (example / "reports").glob("*token*.html")
    assert f"reports/{page.name}" in README
    assert (example / "reports" / "index.html").exists()


def test_files_that_it_names_are_there() -> None:
    root = Path(__file__).parent.parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    missing = [link for link in links if not (root / link).exists()]
    assert missing == []


def test_models_that_it_names_are_there() -> None:
    root = Path(__file__).parent.parent
    models = re.findall(r"`(models/\w+/)`", README)
    assert models
    assert [model for model in models if not (root / model / "model.py").exists()] == []
