"""What must hold of System V semaphore sets beyond a few processes that make calls in turn: fork
and execve, users, threads, pointers, and every way in which a process ends."""

from collections.abc import Callable

import pytest

from properties.kernel import sysv_sem_cases
from properties.scenarios import InSandbox

CASES = [
    sysv_sem_cases.normal_exit_undoes,
    sysv_sem_cases.a_zombie_holds_no_undo,
    sysv_sem_cases.undo_survives_execve,
    sysv_sem_cases.threads_share_one_undo_list,
    sysv_sem_cases.the_undo_of_a_process_waits_for_its_last_thread,
    sysv_sem_cases.unshare_applies_the_undo_at_once,
    sysv_sem_cases.a_forked_child_inherits_no_undo,
    sysv_sem_cases.an_orphan_keeps_its_undo,
    sysv_sem_cases.a_kill_by_the_cpu_limit_undoes,
    sysv_sem_cases.bad_pointers_fail_with_efault,
    sysv_sem_cases.beyond_the_limit_of_sets_there_is_no_space,
    sysv_sem_cases.the_owner_needs_permission,
    sysv_sem_cases.another_user_needs_permission,
    sysv_sem_cases.a_death_undoes_set_by_set_and_each_set_as_a_whole,
    sysv_sem_cases.a_death_undoes_before_it_closes_descriptors,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_in_the_sandbox(in_sandbox: InSandbox, case: Callable[[], None]) -> None:
    in_sandbox(case)
