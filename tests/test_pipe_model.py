"""The model of the pipe, one behaviour a test, without any kernel."""

import os

import pytest

from harness.errors import Unsupported
from models.pipe import PAGE, PipeSetup
from properties.kernel import pipe_cases
from properties.kernel.pipe import KernelPipe

# Where it is right.


@pytest.mark.parametrize("size", [1 << 14, 1 << 16])
def test_a_machine_with_other_pages_is_unsupported(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGESIZE": size}.__getitem__)
    with pytest.raises(Unsupported) as raised:
        KernelPipe().create(PipeSetup())
    assert f"pages have {size} bytes here" in str(raised.value)
    assert f"run on a kernel with pages of {PAGE} bytes" in str(raised.value)
    with pytest.raises(Unsupported):
        pipe_cases.fill(PAGE)
