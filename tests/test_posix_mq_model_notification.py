"""Whom the model's message queue notifies, of what, and who knows of it."""

from harness.spec import Errno
from models.posix_mq import Close, Notify, Open, ReadStatus, StopNotifying, TakeNotification
from tests.model_alone import ASLEEP
from tests.posix_mq_alone import made

EAGAIN, EBUSY = map(Errno, ("EAGAIN", "EBUSY"))


def test_a_notification_comes_once_with_its_sender_and_value() -> None:
    _, a, b, _ = made()
    assert a.calls(Notify(7)) is None
    b.sends("x")
    assert a.calls(TakeNotification()) == ("SI_MESGQ", b.who, 7)
    b.receives()
    b.sends("y")
    assert a.calls(TakeNotification()) == EAGAIN


def test_only_one_process_is_registered() -> None:
    _, a, b, _ = made()
    assert a.calls(Notify()) is None
    assert [a.calls(Notify()), b.calls(Notify())] == [EBUSY, EBUSY]
    assert b.calls(StopNotifying()) is None
    assert b.calls(Notify()) == EBUSY
    assert a.calls(StopNotifying()) is None
    assert b.calls(Notify()) is None


def test_a_sleeping_receiver_holds_a_notification_back() -> None:
    _, a, b, c = made()
    a.calls(Notify())
    assert b.receives() is ASLEEP
    c.sends("x")
    assert a.calls(TakeNotification()) == EAGAIN
    assert c.calls(Notify()) == EBUSY


def test_a_message_in_a_queue_with_messages_does_not_notify() -> None:
    _, a, b, _ = made()
    b.sends("x")
    a.calls(Notify())
    b.sends("y")
    assert a.calls(TakeNotification()) == EAGAIN


def test_a_message_admitted_into_a_queue_of_one_slot_does_not_notify() -> None:
    _, a, b, c = made(capacity=1)
    b.sends("x")
    a.calls(Notify())
    assert b.sends("y") is ASLEEP
    assert c.receives() == ("x", 0)
    assert a.calls(TakeNotification()) == EAGAIN


def test_sigev_none_takes_the_place_and_is_used_up() -> None:
    _, a, b, c = made()
    a.calls(Notify(kind="none"))
    assert b.calls(Notify()) == EBUSY
    c.sends("x")
    assert b.calls(Notify()) is None
    assert a.calls(TakeNotification()) == EAGAIN


def test_closing_any_descriptor_ends_the_registration() -> None:
    _, a, b, _ = made(Open(), Open())
    a.calls(Notify(descriptor=0))
    assert a.calls(Close(1)) is None
    assert b.calls(Notify()) is None


def test_death_ends_the_registration() -> None:
    queues, a, b, _ = made()
    a.calls(Notify())
    a.is_killed()
    assert b.calls(Notify()) is None
    assert "exit-drops-registration" in queues.rules


def test_the_status_line_gives_bytes_and_registration() -> None:
    _, a, b, _ = made()
    a.calls(Notify(kind="none"))
    assert b.calls(ReadStatus()) == (0, 1, 0, a.who)
    b.sends("xyz")
    assert b.calls(ReadStatus()) == (3, 0, 0, None)
