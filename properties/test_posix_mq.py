"""What must hold of POSIX message queues: random programs, and one literal program a behaviour."""

from harness.spec import Errno
from harness.testing import ASLEEP, conformance
from models.posix_mq import MALFORMED, GetAttributes, Open, Poll, QueueSetup, Receive, Send
from properties.posix_mq import BLOCKING, NONBLOCKING, POSIX_MQ
from properties.scenarios import MakeScenario, in_vain

A, B, C, D = range(4)
EAGAIN, EINTR, EINVAL = map(Errno, ("EAGAIN", "EINTR", "EINVAL"))
EMSGSIZE, ETIMEDOUT = map(Errno, ("EMSGSIZE", "ETIMEDOUT"))
ONE_SLOT = QueueSetup(capacity=1)

test_posix_mq_follows_its_model = conformance(POSIX_MQ)


# Messages


def test_an_empty_message_is_a_message_and_keeps_its_priority(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("", 3)) is None
    assert run.call(A, GetAttributes()) == (False, 2, 8, 1)
    assert run.call(B, Receive()) == ("", 3)


def test_a_small_buffer_is_refused_even_by_an_empty_queue(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Receive(size=7)) == EMSGSIZE
    assert run.call(A, Send("x")) is None
    assert run.call(A, Receive(size=7)) == EMSGSIZE
    assert run.call(A, Receive(size=8)) == ("x", 0)


def test_priorities_go_up_to_32767(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("low", 0)) is None
    assert run.call(A, Send("high", 32767)) is None
    assert run.call(A, Send("higher", 32768)) == EINVAL
    assert run.call(B, Receive()) == ("high", 32767)


def test_a_message_has_at_most_the_size_of_the_queue(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("123456789")) == EMSGSIZE
    assert run.call(A, Send("12345678")) is None
    assert run.call(B, Receive()) == ("12345678", 0)
    assert run.call(B, Receive(timeout=0.0)) == ETIMEDOUT


def test_o_nonblock_turns_waiting_into_eagain(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(capacity=1, opened=(NONBLOCKING,)))
    assert run.call(A, Receive()) == EAGAIN
    assert run.call(A, Send("x")) is None
    assert run.call(A, Send("y")) == EAGAIN
    assert run.call(B, Receive()) == ("x", 0)


# Lines


def test_three_receivers_are_served_in_the_order_of_waiting(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=4)
    for who in (B, A, C):
        assert run.call(who, Receive()) is ASLEEP
    assert run.call(D, Send("first")) is None
    assert run.call(D, Send("second")) is None
    assert (run.answer(B), run.answer(A)) == (("first", 0), ("second", 0))
    assert run.asleep(C)


def test_senders_are_let_in_by_waiting_time_not_by_priority(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(capacity=1, opened=(BLOCKING, NONBLOCKING)), actors=3)
    assert run.call(C, Send("x")) is None
    assert run.call(A, Send("low", 0)) is ASLEEP
    assert run.call(B, Send("high", 9)) is ASLEEP
    assert run.call(C, Receive()) == ("x", 0)
    assert run.answer(A) is None
    assert run.asleep(B)
    assert run.call(C, Send("no room", descriptor=1)) == EAGAIN


def test_a_message_handed_over_does_not_wake_a_poller(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Poll("POLLIN")) is ASLEEP
    assert run.call(B, Receive()) is ASLEEP
    assert run.call(C, Send("x")) is None
    assert run.answer(B) == ("x", 0)
    assert run.asleep(A)
    assert run.call(C, Send("y")) is None
    assert run.answer(A) == ("POLLIN",)


def test_a_poller_for_room_sleeps_on_while_senders_wait(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT, actors=3)
    assert run.call(C, Send("x")) is None
    assert run.call(A, Poll("POLLOUT")) is ASLEEP
    assert run.call(B, Send("y")) is ASLEEP
    assert run.call(C, Receive()) == ("x", 0)
    assert run.answer(B) is None
    assert run.asleep(A)
    assert run.call(C, Receive()) == ("y", 0)
    assert run.answer(A) == ("POLLOUT",)


# Time


def test_a_deadline_passes_on_an_empty_and_on_a_full_queue(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT)
    assert in_vain(run, A, Receive(timeout=0.02)) == ETIMEDOUT
    assert run.call(B, Send("x")) is None
    assert in_vain(run, A, Send("y", timeout=0.02)) == ETIMEDOUT
    assert run.call(B, Receive()) == ("x", 0)
    assert run.call(B, Receive(timeout=0.0)) == ETIMEDOUT


def test_a_past_deadline_counts_only_for_a_call_that_would_wait(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(capacity=1, opened=(BLOCKING, NONBLOCKING)))
    assert run.call(A, Send("x", timeout=0.0)) is None
    assert run.call(A, Send("y", timeout=0.0)) == ETIMEDOUT
    assert run.call(A, Send("y", timeout=60.0, descriptor=1)) == EAGAIN
    assert run.call(A, Receive(timeout=0.0)) == ("x", 0)
    assert run.call(A, Receive(timeout=0.0)) == ETIMEDOUT
    assert run.call(A, Receive(timeout=60.0, descriptor=1)) == EAGAIN


def test_a_malformed_deadline_is_refused_even_if_nobody_would_wait(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("x")) is None
    assert run.call(A, Send("y", timeout=MALFORMED)) == EINVAL
    assert run.call(A, Receive(timeout=MALFORMED)) == EINVAL
    assert run.call(A, Receive()) == ("x", 0)
    assert run.call(A, Receive(timeout=0.0)) == ETIMEDOUT


# Signals and stops


def test_a_handler_ends_a_receive_or_starts_it_again(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Receive()) is ASLEEP
    run.signal(A, restart=True)
    assert run.asleep(A)
    run.signal(A)
    assert run.answer(A) == EINTR


def test_a_handler_ends_a_send_whose_message_is_not_queued(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT)
    assert run.call(B, Send("x")) is None
    assert run.call(A, Send("y")) is ASLEEP
    run.signal(A)
    assert run.answer(A) == EINTR
    assert run.call(B, Receive()) == ("x", 0)
    assert run.call(B, Receive(timeout=0.0)) == ETIMEDOUT


def test_a_restarted_receiver_goes_to_the_end_of_the_line(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Receive()) is ASLEEP
    assert run.call(B, Receive()) is ASLEEP
    run.signal(A, restart=True)
    assert run.call(C, Send("x")) is None
    assert run.answer(B) == ("x", 0)
    assert run.asleep(A)


def test_a_stopped_receiver_is_in_no_line_until_it_goes_on(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Receive()) is ASLEEP
    assert run.call(B, Receive()) is ASLEEP
    run.stop(A)
    run.resume(A)
    assert run.call(C, Send("x")) is None
    assert run.answer(B) == ("x", 0)
    run.stop(A)
    assert run.call(C, Send("y")) is None
    assert run.call(C, Receive()) == ("y", 0)
    run.resume(A)
    assert run.asleep(A)


def test_a_poll_goes_on_after_a_stop_and_ends_with_any_handler(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Poll("POLLIN")) is ASLEEP
    run.stop(A)
    run.resume(A)
    assert run.asleep(A)
    run.signal(A, restart=True)
    assert run.answer(A) == EINTR


# Death


def test_a_receiver_killed_in_its_sleep_loses_no_message(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Receive()) is ASLEEP
    assert run.call(B, Receive()) is ASLEEP
    run.kill(A)
    assert run.call(C, Send("x")) is None
    assert run.answer(B) == ("x", 0)
    assert run.call(C, Send("y")) is None
    assert run.call(C, Receive()) == ("y", 0)


def test_the_message_of_a_sender_killed_in_its_sleep_is_never_queued(
    scenario: MakeScenario,
) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT)
    assert run.call(B, Send("x")) is None
    assert run.call(A, Send("y")) is ASLEEP
    run.kill(A)
    assert run.call(B, Receive()) == ("x", 0)
    assert run.call(B, Receive(timeout=0.0)) == ETIMEDOUT


def test_a_message_handed_to_one_killed_before_it_runs_is_lost(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Receive()) is ASLEEP
    assert run.call_then_kill(B, Send("x"), A) is None
    assert run.call(B, Receive(timeout=0.0)) == ETIMEDOUT


def test_the_message_of_one_let_in_and_killed_before_it_runs_stays(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT)
    assert run.call(B, Send("x")) is None
    assert run.call(A, Send("y")) is ASLEEP
    assert run.call_then_kill(B, Receive(), A) == ("x", 0)
    assert run.call(B, Receive()) == ("y", 0)


def test_a_queue_and_its_messages_outlive_everybody(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(), actors=3)
    assert run.call(A, Send("x", 5)) is None
    assert run.call(B, Open("/r", create=True, maxmsg=1)) == 1
    assert run.call(B, Send("y", descriptor=1)) is None
    run.kill(A)
    run.kill(B)
    assert run.call(C, Open("/r")) == 1
    assert run.call(C, Receive(descriptor=1)) == ("y", 0)
    assert run.call(run.keeper, Receive()) == ("x", 5)
