"""Message queues in the hands of their model alone, without any kernel, and who uses them."""

from typing import Any

from models.posix_mq import Open, PosixMessageQueue, QueueSetup, Receive, Send
from tests.model_alone import Actor, ModelAlone


class Messenger(Actor):
    def sends(self, message: str, priority: int = 0) -> Any:
        return self.calls(Send(message, priority))

    def receives(self) -> Any:
        return self.calls(Receive())


def made(
    *opened: Open, capacity: int = 2, shared: bool = False, queues_max: int = 256
) -> tuple[ModelAlone, Messenger, Messenger, Messenger]:
    """A queue that everybody has opened so, and three of its processes."""
    setup = QueueSetup(
        capacity=capacity, shared=shared, opened=opened or (Open(),), queues_max=queues_max
    )
    queues = ModelAlone(PosixMessageQueue(setup, 4))
    a, b, c = (Messenger(queues, who) for who in range(3))
    return queues, a, b, c
