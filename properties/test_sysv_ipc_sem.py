"""What must hold of semaphores through the package sysv_ipc."""

import pytest
import sysv_ipc

from harness.spec import Errno
from harness.testing import Unsupported, conformance
from models.sysv_sem import SemSetup, Semtimedop
from properties.kernel import sysv_ipc_sem_cases
from properties.scenarios import InSandbox, MakeScenario
from properties.sysv_ipc_sem import SYSV_IPC_SEM
from properties.sysv_sem import one

test_sysv_ipc_follows_the_model_of_semaphores = conformance(SYSV_IPC_SEM)


def test_a_timeout_of_zero_is_a_try(scenario: MakeScenario) -> None:
    if not sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED:
        raise Unsupported(
            "the installed sysv_ipc was built without semtimedop, and waits for ever whatever the "
            "timeout is; build it here: pip install --force-reinstall --no-binary sysv_ipc sysv_ipc"
        )
    run = scenario(SYSV_IPC_SEM, SemSetup((1,)))
    assert run.call(0, Semtimedop(one(0, -1))) is None
    assert run.call(0, Semtimedop(one(0, -1))) == Errno("EAGAIN")


@pytest.mark.xfail(
    raises=AssertionError,
    reason="sysv_ipc 1.1 and 1.2: IPC_CREAT alone resets the value of a semaphore that exists, "
    "though its documentation says that initial_value counts with IPC_CREX only",
)
def test_opening_a_semaphore_leaves_its_value(in_sandbox: InSandbox) -> None:
    in_sandbox(sysv_ipc_sem_cases.ipc_creat_leaves_the_value_of_what_exists)
