"""POSIX message queues: every rule's name with its sentence and its source."""

from collections.abc import Mapping

MQUEUE = "ipc/mqueue.c"

EXCHANGE: Mapping[str, str] = {
    "send": "A message goes behind those of its priority and above (mq_send(3)).",
    "send-overtakes": "A message goes before those of lower priority (mq_send(3)).",
    "send-hands-over": "A message goes straight to the receiver that has waited longest "
    f"(mq_receive(3); {MQUEUE}: pipelined_send).",
    "send-hands-over-unnotified": "A message for a sleeping receiver leaves the registration of "
    "another in place (mq_notify(3)).",
    "send-notifies": "A message that comes into an empty queue sends the registered process its "
    "signal and ends the registration (mq_notify(3)).",
    "send-uses-up-silent-registration": "A message that comes into an empty queue ends a "
    f"registration with SIGEV_NONE, which tells nobody (mq_notify(3); {MQUEUE}: __do_notify).",
    "send-not-first-unnotified": "A message that comes into a queue with messages notifies nobody "
    "(mq_notify(3)).",
    "send-sleeps": "A send to a full queue waits at the end of the line, whatever its priority "
    f"(mq_send(3); {MQUEUE}: wq_add).",
    "send-admitted": "A sender whose message a receive let in returns (mq_send(3)).",
    "send-malformed-deadline": "EINVAL: tv_nsec out of range, even if the call need not wait "
    f"({MQUEUE}: prepare_timeout).",
    "send-priority-too-high": "EINVAL: the priority is not below MQ_PRIO_MAX (mq_send(3); "
    f"{MQUEUE}).",
    "send-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_send(3)).",
    "send-read-only": "EBADF: the queue was opened for reading only (mq_send(3)).",
    "send-message-too-long": "EMSGSIZE: the message is longer than mq_msgsize (mq_send(3)).",
    "receive": "The oldest message of the highest priority comes out (mq_receive(3)).",
    "receive-admits-sender": "A receive from a full queue lets in, in the same step, the message "
    f"of the sender that has waited longest, and notifies nobody ({MQUEUE}: pipelined_receive).",
    "receive-sleeps": "A receive from an empty queue waits at the end of the line "
    f"(mq_receive(3); {MQUEUE}: wq_add).",
    "receive-handed-over": "A receiver returns with the message that was handed to it "
    f"(mq_receive(3); {MQUEUE}: wq_sleep).",
    "receive-malformed-deadline": "EINVAL: tv_nsec out of range, even if the call need not wait "
    f"({MQUEUE}: prepare_timeout).",
    "receive-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_receive(3)).",
    "receive-write-only": "EBADF: the queue was opened for writing only (mq_receive(3)).",
    "receive-buffer-too-small": "EMSGSIZE: the buffer is smaller than mq_msgsize, however short "
    "the message, even if there is none (mq_receive(3)).",
    "poll-readable": "POLLIN: the queue is not empty (mq_overview(7)).",
    "poll-writable": "POLLOUT: the queue is not full (mq_overview(7)).",
    "poll-closed-descriptor": "POLLNVAL: the descriptor is not open (poll(2)).",
}

NOTIFICATION: Mapping[str, str] = {
    "notify-by-signal": "The caller is registered for one signal (mq_notify(3)).",
    "notify-silently": "The caller takes the only place, for no signal: SIGEV_NONE (mq_notify(3)).",
    "notify-busy": "EBUSY: a process is registered, be it the caller (mq_notify(3)).",
    "notify-unknown-kind": f"EINVAL: sigev_notify is none of the three (mq_notify(3); {MQUEUE}).",
    "notify-bad-signal": f"EINVAL: there is no such signal (mq_notify(3); {MQUEUE}).",
    "notify-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_notify(3)).",
    "stop-notifying": "A null pointer ends the caller's registration (mq_notify(3)).",
    "stop-notifying-not-registered": "A null pointer from a process that is not registered "
    f"changes nothing ({MQUEUE}: do_mq_notify).",
    "stop-notifying-closed-descriptor": "EBADF: no queue is open as this descriptor "
    "(mq_notify(3)).",
    "take-notification": "The signal says SI_MESGQ, the sender and the registered value "
    "(mq_notify(3)).",
    "getattr": "The flags of the open description, both limits, and the number of messages "
    "(mq_getattr(3)).",
    "getattr-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_getattr(3)).",
    "setattr-nonblock": "O_NONBLOCK is set on the open description, and nothing else changes "
    "(mq_getattr(3)).",
    "setattr-block": "O_NONBLOCK is cleared on the open description, and nothing else changes "
    "(mq_getattr(3)).",
    "setattr-other-flags": "EINVAL: mq_flags has another bit than O_NONBLOCK (mq_getattr(3)).",
    "setattr-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_getattr(3)).",
    "status": "QSIZE is the number of bytes in the queue (mq_overview(7)).",
    "status-registered": "NOTIFY, SIGNO and NOTIFY_PID say who is registered, and how "
    f"(mq_overview(7); {MQUEUE}: mqueue_read_file).",
    "status-closed-descriptor": "EBADF: the descriptor is not open (read(2)).",
    "status-write-only": "EBADF: the queue was opened for writing only (read(2)).",
}

NAMES: Mapping[str, str] = {
    "open": "An existing queue is opened (mq_open(3)).",
    "open-creates": "A missing queue is made, with the attributes passed (mq_open(3)).",
    "open-creates-with-defaults": "Without attributes msg_default and msgsize_default count, "
    "if they are within the limits (mq_overview(7)).",
    "open-ignores-attributes": "O_CREAT opens an existing queue; mode and attributes passed count "
    "for nothing (mq_open(3)).",
    "open-exists": "EEXIST: O_CREAT and O_EXCL, and the queue exists (mq_open(3)).",
    "open-missing": "ENOENT: no O_CREAT, and there is no such queue (mq_open(3)).",
    "open-too-many-queues": "ENOSPC: queues_max queues exist, those without a name included "
    f"(mq_overview(7); {MQUEUE}: mqueue_create_attr).",
    "open-attributes-not-positive": "EINVAL: mq_maxmsg or mq_msgsize is not positive (mq_open(3)).",
    "open-attributes-above-limit": "EINVAL: mq_maxmsg is above msg_max, or mq_msgsize above "
    "msgsize_max (mq_open(3)).",
    "open-no-leading-slash": "EINVAL: the name does not begin with a slash (mq_overview(7)).",
    "open-empty-name": "ENOENT: the name is a slash and nothing else (mq_open(3)).",
    "open-second-slash": "EACCES: the name has a second slash (mq_open(3)).",
    "open-name-too-long": "ENAMETOOLONG: more than NAME_MAX bytes after the slash (mq_open(3)).",
    "close": "A descriptor is closed (mq_close(3)).",
    "close-drops-registration": "The registered process closes a descriptor of the queue, any "
    f"one, and is registered no more (mq_close(3); {MQUEUE}: mqueue_flush_file).",
    "close-frees": "The last close of a queue without a name destroys it (mq_unlink(3)).",
    "close-closed-descriptor": "EBADF: no queue is open as this descriptor (mq_close(3)).",
    "unlink-while-open": "The name goes at once, the queue goes on for those who have it open; "
    "nobody is woken (mq_unlink(3)).",
    "unlink-frees": "The name goes, and the queue with it, since nobody has it open "
    "(mq_unlink(3)).",
    "unlink-missing": "ENOENT: there is no such queue (mq_unlink(3)).",
    "unlink-no-leading-slash": "EINVAL: the name does not begin with a slash (mq_overview(7)).",
    "unlink-empty-name": "ENOENT: the name is a slash and nothing else (mq_open(3)).",
    "unlink-second-slash": "EACCES: the name has a second slash (mq_open(3)).",
    "unlink-name-too-long": "ENAMETOOLONG: more than NAME_MAX bytes after the slash "
    "(mq_unlink(3)).",
}

DEATH: Mapping[str, str] = {
    "exit-leaves-line": "A call killed in its sleep leaves the line: no message comes to it or "
    f"from it ({MQUEUE}: wq_sleep).",
    "exit-drops-registration": "Death ends the registration of the process (mq_notify(3)).",
    "exit-frees": "Death closes the last descriptor of a queue without a name, which destroys it "
    "(mq_unlink(3)).",
    "exit": "Death closes what is open; queues, names and messages stay, but not a message that "
    f"was handed to the dead and not returned (mq_overview(7); {MQUEUE}: pipelined_send).",
}

RULES: Mapping[str, str] = {**EXCHANGE, **NOTIFICATION, **NAMES, **DEATH}
