"""The POSIX message queue: its operations, and where the rules of each are.

Follows mq_overview(7), the mq_* pages of section 3, and Linux' ipc/mqueue.c, whose wait lines
and direct hand-over are exact here. Leaves out permissions and SIGEV_THREAD.
"""

from collections.abc import Iterator
from typing import Any, assert_never

from harness.spec import Errno, Exit, Model, Move, Op, Process, Wait
from models.posix_mq.exchange import fall_asleep, poll, receive, send, woken
from models.posix_mq.names import close, exits, open_queue, unlink
from models.posix_mq.notification import (
    get_attributes,
    notify,
    read_status,
    set_attributes,
    stop_notifying,
    take_notification,
)
from models.posix_mq.operations import (
    AwaitMessage,
    AwaitRoom,
    Close,
    GetAttributes,
    Notify,
    Open,
    Operation,
    Poll,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from models.posix_mq.rules import RULES
from models.posix_mq.state import Files, State, leave_line, users

EAGAIN = Errno("EAGAIN")


class PosixMessageQueue(Model[State]):
    """Contract `linux`. The keeper has made "/q" and holds it, open for both, as descriptor 0;
    every actor holds what the setup says."""

    rules = RULES

    def __init__(self, setup: QueueSetup, processes: int) -> None:
        self.setup = setup
        self.keeper = processes - 1

    def start(self) -> State:
        setup, keeper = self.setup, self.keeper
        state = State(files=Files(descriptors=((),) * (keeper + 1)))
        made = Open(create=True, exclusive=True, maxmsg=setup.capacity, msgsize=setup.message_size)
        state = self._opened(state, keeper, made)
        if setup.shared:
            files = state.files
            state = state._replace(files=files._replace(descriptors=((0,),) * (keeper + 1)))
        for who in range(keeper):
            for op in setup.opened:
                state = self._opened(state, who, op)
        return state

    def _opened(self, state: State, who: Process, op: Open) -> State:
        move = next(open_queue(self.setup, state, who, op))
        assert not isinstance(move.reply, Errno), f"the setup cannot be made: {move.rule}"
        assert isinstance(move.after, State)
        return move.after

    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        operation: Operation | Exit = op
        match operation:
            case Send():
                return send(state, who, operation)
            case Receive():
                return receive(state, who, operation)
            case AwaitMessage() | AwaitRoom():
                return woken(state, who)
            case Poll():
                return poll(state, who, operation)
            case GetAttributes():
                return get_attributes(state, who, operation)
            case SetAttributes():
                return set_attributes(state, who, operation)
            case ReadStatus():
                return read_status(state, who, operation)
            case Notify():
                return notify(state, who, operation)
            case StopNotifying():
                return stop_notifying(state, who, operation)
            case TakeNotification():
                return take_notification(state, who)
            case Open():
                return open_queue(self.setup, state, who, operation)
            case Close():
                return close(state, who, operation)
            case Unlink():
                return unlink(state, operation)
            case Exit():
                return exits(state, who)
            case _:
                assert_never(operation)

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        match op:
            case Send() | Receive():
                return fall_asleep(state, who, op)
            case AwaitMessage(queue, timeout) | AwaitRoom(queue, timeout):
                return Wait(timeout=timeout, withdrawn=leave_line(state, who, queue))
            case Poll(timeout=timeout):
                # poll(2) ends with EINTR even after a handler with SA_RESTART (signal(7)).
                would_block = () if timeout == 0 else None
                return Wait(would_block, timeout, timed_out=(), restarts=False)
            case TakeNotification():
                return Wait(would_block=EAGAIN)
            case _:
                return Wait()

    def partners(self, state: State, who: Process, op: Op) -> frozenset[Process] | None:
        match op:
            case AwaitMessage(queue=number) | AwaitRoom(queue=number):
                if any(linked == number for _, linked in state.files.names):
                    return None
                return users(state, number, to_send=isinstance(op, AwaitMessage)) - {who}
            case _:
                return None
