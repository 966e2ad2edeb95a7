"""What the end of a process, a thread or a whole namespace does to the pipes that it holds.

Each public function runs in a fresh process of the sandbox and says what it saw, as plain data.
"""

import os
import resource
import signal
import threading

from properties.kernel.children import (
    Child,
    adopt_orphans,
    end_this_thread,
    leave_namespace,
    parent_of,
    sleep_for_ever,
)
from properties.kernel.pipe_cases import look


def kill_writers(times: int) -> set[tuple[str, str]]:
    """The state of killed writers before they are reaped, and what their readers find then."""
    found = set()
    for _ in range(times):
        reader, writer = os.pipe()
        with Child(sleep_for_ever) as child:
            os.close(writer)
            assert look(reader) == "nothing"
            found.add((child.becomes_a_zombie(), look(reader)))
        os.close(reader)
    return found


def end_threads(last_how: str) -> dict[str, str]:
    """A writer's first thread ends, and then its last one."""
    reader, writer = os.pipe()
    wait, go_on = os.pipe()

    def last() -> None:
        os.read(wait, 1)
        os._exit(0)

    def body() -> None:
        threading.Thread(target=last).start()
        end_this_thread()

    with Child(body) as child:
        os.close(writer)
        child.reaches("Z")
        after_first = look(reader)
        if last_how == "killed":
            child.kill()
        else:
            os.write(go_on, b"x")
            child.end()
    return {"first": after_first, "last": look(reader)}


def orphan() -> dict[str, str | bool]:
    """A process that holds both ends of a pipe loses its parent."""
    reader, writer = os.pipe()
    wait, go_on = os.pipe()
    told, tell = os.pipe()
    adopt_orphans()

    def grandchild() -> None:
        os.read(wait, 1)
        os.write(writer, b"still written")

    def parent() -> None:
        with Child(grandchild) as child:
            os.write(tell, str(child.pid).encode())
            sleep_for_ever()

    with Child(parent) as middle:
        os.close(writer)
        child = int(os.read(told, 20))
        middle.kill()
    adopted = parent_of(child) == os.getpid()
    untouched = look(reader)
    os.write(go_on, b"x")
    os.waitpid(child, 0)
    return {
        "adopted": adopted,
        "untouched": untouched,
        "told": look(reader),
        "last": look(reader),
    }


def kill_the_first_process_of_a_namespace() -> str:
    """What a reader finds when the first process of the writer's PID namespace was killed."""
    reader, writer = os.pipe()
    told, tell = os.pipe()
    leave_namespace("pid")

    def holder() -> None:
        os.write(tell, b"x")
        sleep_for_ever()

    def first() -> None:
        with Child(holder):
            os.close(writer)
            sleep_for_ever()

    with Child(first) as child:
        os.close(writer)
        os.read(told, 1)
        assert look(reader) == "nothing"
        child.kill()
        return look(reader)


def use_up_the_processor_limit() -> tuple[str, str]:
    """What ends a writer that runs for longer than it may, and what its reader finds then."""
    reader, writer = os.pipe()

    def spin() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
        while True:
            pass

    with Child(spin) as child:
        os.close(writer)
        return signal.Signals(-child.end()).name, look(reader)
