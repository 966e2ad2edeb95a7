"""What must hold of the package posix_ipc's message queues: that they are the kernel's."""

from harness.testing import conformance
from properties.posix_ipc_mq import POSIX_IPC_MQ

test_posix_ipc_follows_the_model_of_the_kernel = conformance(POSIX_IPC_MQ)
