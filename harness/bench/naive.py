"""What one would write without this project: a state machine that drives worker processes.

A Hypothesis `RuleBasedStateMachine` sends calls to `multiprocessing` workers over pipes and
compares with a list; whether a worker sleeps is decided by waiting 20 ms for its answer.
"""

import multiprocessing
import os
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import posix_ipc
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

SLOTS = 4
WORKERS = 3
POLL = 0.02
"""Seconds without an answer after which a worker counts as asleep."""


def work(name: str, orders: Connection) -> None:
    """A worker: carries out orders until it is told to end."""
    queue = posix_ipc.MessageQueue(name)
    while (order := orders.recv()) is not None:
        if order == "receive":
            orders.send(queue.receive())
        else:
            orders.send(queue.send(*order))


class NaiveQueue(RuleBasedStateMachine):
    """Three workers and a queue of four slots."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.name = f"/ipch-naive-{os.getpid()}"
        self.queue = posix_ipc.MessageQueue(
            self.name, posix_ipc.O_CREX, max_messages=SLOTS, max_message_size=16
        )
        context = multiprocessing.get_context("fork")
        self.ends: list[Connection] = []
        self.workers = []
        for _ in range(WORKERS):
            mine, theirs = context.Pipe()
            worker = context.Process(target=work, args=(self.name, theirs), daemon=True)
            worker.start()
            self.ends.append(mine)
            self.workers.append(worker)
        self.messages: list[tuple[int, bytes]] = []
        self.asleep: dict[int, Any] = {}

    def _order(self, who: int, order: Any) -> None:
        NaiveQueue.calls += 1
        self.ends[who].send(order)
        self.asleep[who] = order
        self._settle()

    def _settle(self) -> None:
        again = True
        while again:
            again = False
            for who in list(self.asleep):
                if self.ends[who].poll(POLL):
                    self._answered(who, self.ends[who].recv())
                    again = True

    def _answered(self, who: int, reply: Any) -> None:
        order = self.asleep.pop(who)
        if order == "receive":
            message, priority = reply
            assert (priority, message) in self.messages
            self.messages.remove((priority, message))

    @precondition(lambda self: len(self.asleep) < WORKERS)
    @rule(priority=st.integers(0, 2), choice=st.integers(0, WORKERS - 1))
    def send(self, priority: int, choice: int) -> None:
        """An idle worker sends."""
        idle = [who for who in range(WORKERS) if who not in self.asleep]
        message = b"m%d" % NaiveQueue.calls
        self.messages.append((priority, message))
        self._order(idle[choice % len(idle)], (message, None, priority))

    @precondition(lambda self: len(self.asleep) < WORKERS)
    @rule(choice=st.integers(0, WORKERS - 1))
    def receive(self, choice: int) -> None:
        """An idle worker receives."""
        idle = [who for who in range(WORKERS) if who not in self.asleep]
        self._order(idle[choice % len(idle)], "receive")

    @precondition(lambda self: len(self.asleep) == WORKERS)
    @rule()
    def look(self) -> None:
        """All sleep: nothing can be done."""

    def teardown(self) -> None:
        """End the workers and remove the queue."""
        for worker in self.workers:
            worker.kill()
            worker.join()
            worker.close()
        for end in self.ends:
            end.close()
        self.queue.close()
        self.queue.unlink()


def naive_calls(examples: int) -> float:
    """Calls a second of the hand-written harness."""
    NaiveQueue.calls = 0
    begun = perf_counter()
    run_state_machine_as_test(
        NaiveQueue,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return NaiveQueue.calls / (perf_counter() - begun)
