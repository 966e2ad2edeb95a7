"""Every rule that a model lists can be taken: the models alone, in random hands."""

import pytest

from harness.references import resolve
from tests.model_alone import rules_not_met


@pytest.mark.parametrize(
    "row",
    [
        "properties.pipe:PIPE",
        "properties.posix_mq:POSIX_MQ",
        "properties.posix_ipc_mq:POSIX_IPC_MQ",
        "properties.sysv_sem:SYSV_SEM",
        "properties.sysv_ipc_sem:SYSV_IPC_SEM",
    ],
)
def test_every_listed_rule_is_met(row: str) -> None:
    assert rules_not_met(resolve(row)) == set()
