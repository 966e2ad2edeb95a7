"""The object of one program: made by the keeper, reached by everybody, left and removed."""

import os
import socket
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from harness.errors import Broken
from harness.execute import wire
from harness.execute.hung import GLANCE, Stall, look_into
from harness.execute.pool import START_BOUND, Actor, Pool


def set_up(
    pool: Pool, actors: Sequence[Actor], reference: str, setup: Any, limits: Mapping[str, int]
) -> Any:
    """Have the keeper, the last of these actors, make the object through the adapter that
    ``reference`` names, and all of them reach it. Returns what `tear_down` needs."""
    *others, keeper = actors
    packed = wire.packed_setup(setup)
    processes = {actor.inner_pid: who for who, actor in enumerate(actors)}
    keeper.tell(wire.CREATE, (reference, packed, len(others), processes, limits))
    shared, count = _acknowledged(pool, "create or attach", [keeper])[0]
    descriptors: Sequence[int] = ()
    if count:
        _, descriptors, _, _ = socket.recv_fds(keeper.commands, 16, count)
    for who, actor in enumerate(others):
        value = (reference, packed, who, processes, limits, shared, count)
        actor.tell(wire.ATTACH, value)
        if count:
            socket.send_fds(actor.commands, [b"fds"], list(descriptors))
    for descriptor in descriptors:
        os.close(descriptor)
    _acknowledged(pool, "attach", others)
    return shared


def tear_down(pool: Pool, actors: Sequence[Actor], gone: set[int], shared: Any) -> bool:
    """Have the actors that are not ``gone`` leave the object, and the keeper remove it. Says
    whether that is done: without the keeper only the end of the sandbox removes it."""
    *others, keeper = actors
    for who in gone:
        pool.discard(actors[who])
    pool.order(len(gone))
    # Everybody has left before the object is removed: one that is still open may count.
    left = [actor for who, actor in enumerate(others) if who not in gone]
    for actor in left:
        actor.tell(wire.DETACH, None)
    _acknowledged(pool, "detach", left)
    if len(others) in gone:
        return False
    keeper.tell(wire.DESTROY, shared)
    _acknowledged(pool, "detach or destroy", [keeper])
    return True


def _acknowledged(pool: Pool, what: str, actors: Sequence[Actor]) -> list[Any]:
    """The next answer of each of these actors, in the order in which they come."""
    values: list[Any] = []
    expected = {actor.serial: actor for actor in actors}
    begun = looked = monotonic()
    stalls: dict[int, Stall] = {}
    while expected:
        os.sched_yield()
        for answer in pool.received():
            if answer[0] in expected:
                del expected[answer[0]]
                values.append(wire.result(answer))
        now = monotonic()
        if now > looked + GLANCE:
            looked = now
            for serial, actor in expected.items():
                stall = stalls.setdefault(serial, Stall(actor.watch))
                if stall.is_stuck() or actor.is_dead() or now > begun + START_BOUND:
                    raise Broken(
                        f"{what} of the adapter has not ended in {now - begun:.0f} s: "
                        f"{look_into(actor.watch.pid)}; mend the adapter"
                    )
    return values
