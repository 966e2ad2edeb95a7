"""What signals and stops do to those that wait at the model's message queue."""

from harness.spec import Errno
from models.posix_mq import Poll
from tests.model_alone import ASLEEP
from tests.posix_mq_alone import made


def test_a_handler_without_sa_restart_ends_a_receive() -> None:
    _, a, b, _ = made()
    assert a.receives() is ASLEEP
    assert a.gets_a_signal(restart=False) == Errno("EINTR")
    assert b.sends("x") is None
    assert b.receives() == ("x", 0)


def test_a_handler_with_sa_restart_costs_a_receiver_its_place() -> None:
    _, a, b, c = made()
    assert a.receives() is ASLEEP
    assert b.receives() is ASLEEP
    assert a.gets_a_signal(restart=True) is ASLEEP
    c.sends("x")
    assert (a.answer, b.answer) == (ASLEEP, ("x", 0))


def test_a_stopped_receiver_is_not_in_the_line() -> None:
    _, a, b, _ = made()
    assert a.receives() is ASLEEP
    a.is_stopped()
    assert b.sends("x") is None
    assert b.receives() == ("x", 0)
    a.goes_on()
    assert a.answer is ASLEEP


def test_a_poll_ends_with_eintr_even_after_a_handler_with_sa_restart() -> None:
    _, a, _, _ = made()
    assert a.calls(Poll("POLLIN")) is ASLEEP
    assert a.gets_a_signal(restart=True) == Errno("EINTR")
