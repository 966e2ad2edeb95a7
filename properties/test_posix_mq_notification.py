"""What must hold of notifications by POSIX message queues (mq_notify)."""

import pytest

from harness.spec import Errno
from harness.testing import ASLEEP
from models.posix_mq import (
    NO_SIGNAL,
    NOTIFICATION_SIGNAL,
    Close,
    Notify,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    StopNotifying,
    TakeNotification,
)
from properties.posix_mq import BLOCKING, POSIX_MQ
from properties.scenarios import MakeScenario

A, B, C = range(3)
EAGAIN, EBUSY, EINVAL = map(Errno, ("EAGAIN", "EBUSY", "EINVAL"))
ONE_SLOT = QueueSetup(capacity=1)


def test_a_notification_comes_once(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Notify(7)) is None
    assert run.call(B, Send("x")) is None
    assert run.call(A, TakeNotification()) == ("SI_MESGQ", B, 7)
    assert run.call(B, Receive()) == ("x", 0)
    assert run.call(B, Send("y")) is None
    assert run.call(A, TakeNotification()) == EAGAIN


def test_a_sleeping_receiver_holds_a_notification_back(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Notify(7)) is None
    assert run.call(B, Receive()) is ASLEEP
    assert run.call(C, Send("x")) is None
    assert run.call(A, TakeNotification()) == EAGAIN
    assert run.call(C, Send("y")) is None
    assert run.call(A, TakeNotification()) == ("SI_MESGQ", C, 7)


def test_a_message_let_in_from_a_sleeping_sender_notifies_nobody(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT, actors=3)
    assert run.call(B, Send("x")) is None
    assert run.call(A, Notify(7)) is None
    assert run.call(B, Send("y")) is ASLEEP
    assert run.call(C, Receive()) == ("x", 0)
    assert run.answer(B) is None
    assert run.call(A, TakeNotification()) == EAGAIN
    assert run.call(C, Notify()) == EBUSY


def test_closing_any_descriptor_ends_the_registration(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(opened=(BLOCKING, BLOCKING)))
    assert run.call(A, Notify(descriptor=0)) is None
    assert run.call(B, Close(1)) is None
    assert run.call(B, Notify()) == EBUSY
    assert run.call(A, Close(1)) is None
    assert run.call(B, Notify()) is None


def test_death_ends_the_registration(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Notify()) is None
    assert run.call(B, Notify()) == EBUSY
    run.kill(A)
    assert run.call(B, Notify()) is None


def test_a_stopped_process_stays_registered(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Notify(1)) is None
    run.stop(A)
    assert run.call(B, Notify(2)) == EBUSY
    assert run.call(B, Send("x")) is None
    run.resume(A)
    assert run.call(A, TakeNotification()) == ("SI_MESGQ", B, 1)


def test_a_message_into_a_queue_that_has_one_notifies_nobody(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(B, Send("x")) is None
    assert run.call(A, Notify()) is None
    assert run.call(B, Send("y")) is None
    assert run.call(A, TakeNotification()) == EAGAIN
    assert run.call(B, Notify()) == EBUSY


def test_a_registration_for_no_signal_is_used_up_silently(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Notify(kind="none")) is None
    assert run.call(B, Notify()) == EBUSY
    assert run.call(B, Send("x")) is None
    assert run.call(A, TakeNotification()) == EAGAIN
    assert run.call(B, Notify()) is None


@pytest.mark.parametrize("wrong", [Notify(kind="unknown"), Notify(signal=NO_SIGNAL)])
def test_a_wrong_request_registers_nobody(scenario: MakeScenario, wrong: Notify) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, wrong) == EINVAL
    assert run.call(B, Notify()) is None


def test_only_the_registered_process_can_end_its_registration(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Notify()) is None
    assert run.call(B, StopNotifying()) is None
    assert run.call(B, Notify()) == EBUSY
    assert run.call(A, StopNotifying()) is None
    assert run.call(B, Notify()) is None


def test_the_status_tells_the_bytes_and_who_is_registered(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("abc")) is None
    assert run.call(A, Send("de", 1)) is None
    assert run.call(B, ReadStatus()) == (5, 0, 0, None)
    assert run.call(A, Notify()) is None
    assert run.call(B, ReadStatus()) == (5, 0, NOTIFICATION_SIGNAL, A)
