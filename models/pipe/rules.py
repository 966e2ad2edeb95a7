"""The sentences of the pipe's specification, by the names that the model yields.

Sources: manual pages of Linux man-pages 6.x, and fs/pipe.c and kernel/signal.c of Linux 6.18.
"""

from collections.abc import Mapping

READING: Mapping[str, str] = {
    "read-zero": "a read of 0 bytes returns at once, also from an empty pipe (read(2); "
    'anon_pipe_read: "Null read succeeds")',
    "read-part": "a read takes fewer bytes than the oldest page holds, and its slot stays in use "
    "(pipe(7): no message boundaries; anon_pipe_read)",
    "read-slot": "a read takes all that the oldest page holds, which frees its slot and, if all "
    "slots were in use, wakes the first writer in line (pipe(7); anon_pipe_read)",
    "read-several": "a read takes from several pages, as much as is there up to its size, and "
    "does not wait for more (pipe(7), read(2))",
    "read-packet": "a read ends with the packet that it has taken (pipe2(2): O_DIRECT)",
    "read-packet-cut": "what of a packet a read has no room for is thrown away "
    "(pipe2(2): O_DIRECT)",
    "read-eof": "a read of an empty pipe whose write end nobody holds returns nothing, blocking or "
    "not: end of file (pipe(7))",
    "read-sleeps": "a read of an empty pipe whose write end is held sleeps, at the end of the line "
    "of readers (pipe(7); anon_pipe_read: exclusive wait)",
    "read-requeues": "a reader that was woken and finds the pipe empty again goes to the end of "
    "the line (include/linux/wait.h: ___wait_event)",
}

WRITING: Mapping[str, str] = {
    "write-zero": "a write of 0 bytes returns 0 at once and leaves nothing, also with no reader, "
    'in a full pipe or as a packet (anon_pipe_write: "Null write succeeds")',
    "write-merge": "a write that fits behind the bytes of the last page, unless that is a packet, "
    "goes there as a whole and takes no slot (anon_pipe_write: PIPE_BUF_FLAG_CAN_MERGE)",
    "write-slot": "another write of up to PIPE_BUF bytes goes as a whole into a free slot "
    "(pipe(7): PIPE_BUF)",
    "write-large": "a write of more than PIPE_BUF bytes goes in at once where there is room: what "
    "exceeds whole pages behind the last page if that fits, the rest in free slots "
    "(pipe(7); anon_pipe_write)",
    "write-packet": "with O_DIRECT each write of up to PIPE_BUF bytes is a packet and takes a slot "
    "(pipe2(2))",
    "write-packets": "with O_DIRECT a longer write becomes several packets of PIPE_BUF bytes and "
    "the rest (pipe2(2))",
    "write-short": "a non-blocking write of more than PIPE_BUF bytes returns the count that has "
    "fitted (pipe(7): PIPE_BUF)",
    "write-part": "a blocking write of more than PIPE_BUF bytes puts in what fits and sleeps for "
    "the rest, at the end of the line of writers; others may write in between (pipe(7): PIPE_BUF)",
    "write-sleeps": "a blocking write of which nothing fits sleeps, at the end of the line of "
    "writers (pipe(7); anon_pipe_write: exclusive wait)",
    "write-goes-on": "a writer that was woken puts a further part into the free slots and sleeps "
    "again, at the end of the line (anon_pipe_write)",
    "write-finishes": "a writer that was woken puts in all that remains, in free slots only, and "
    "wakes the next writer if a slot is still free (anon_pipe_write: wake_next_writer)",
    "write-requeues": "a writer that was woken and finds all slots in use goes to the end of the "
    "line (include/linux/wait.h: ___wait_event)",
    "write-epipe": "a write to a pipe whose read end nobody holds fails with EPIPE; SIGPIPE is "
    "ignored (pipe(7), write(2))",
    "write-epipe-pending": "it fails with EPIPE; SIGPIPE is blocked and stays pending (pipe(7))",
    "write-epipe-dies": "SIGPIPE ends the writer (pipe(7), signal(7))",
    "write-cut": "a sleeping write of which a part was in when the last reader went returns "
    "the count; SIGPIPE is ignored (anon_pipe_write)",
    "write-cut-pending": "it returns the count, and SIGPIPE is sent all the same; it is blocked "
    "and stays pending (anon_pipe_write)",
    "write-cut-dies": "it would return the count, but SIGPIPE is sent all the same and ends the "
    "writer (anon_pipe_write)",
}

DESCRIPTORS: Mapping[str, str] = {
    "wrong-end": "reading the write end or writing the read end fails with EBADF (read(2), "
    "write(2))",
    "closed": "a call on an end that this process has closed fails with EBADF (close(2))",
    "close": "closing an end that others hold too, or the last end of all, only gives up the "
    "descriptor (pipe(7))",
    "close-last-reader": "when the read end is closed for the last time, all sleeping writers wake "
    "(pipe_release)",
    "close-last-writer": "when the write end is closed for the last time, all sleeping readers "
    "wake (pipe_release)",
    "set-flags": "O_NONBLOCK and O_DIRECT belong to the open file description, which all processes "
    "share (fcntl(2): F_SETFL)",
    "poll": "the read end is readable while there are bytes; the write end is writable while a "
    "slot is free, whatever room the last page has (pipe_poll)",
    "poll-hup": "the read end reports POLLHUP once nobody holds the write end, together with "
    "POLLIN while there are bytes (poll(2))",
    "poll-err": "the write end reports POLLERR once nobody holds the read end, together with "
    "POLLOUT while a slot is free (poll(2))",
    "poll-nval": "a descriptor that is not open reports POLLNVAL (poll(2))",
    "unread": "FIONREAD tells on either end how many bytes wait to be read (pipe(7): I/O on pipes; "
    "pipe_ioctl)",
}

SIZES: Mapping[str, str] = {
    "get-size": "F_GETPIPE_SZ tells the number of slots times the page size (fcntl(2))",
    "grow": "F_SETPIPE_SZ rounds up to a power of two of pages, at least one, sets that many slots "
    "and returns the size; it wakes the first writer in line (fcntl(2); pipe_resize_ring)",
    "resize": "the same to as many slots as before or fewer keeps all bytes and their order, and "
    "wakes the first writer in line (fcntl(2); pipe_resize_ring)",
    "resize-busy": "fewer slots than are in use, however few bytes they hold: EBUSY, and nothing "
    "changes (fcntl(2))",
    "grow-refused": "more than fs.pipe-max-size, or more than the user's share of pages, without "
    "CAP_SYS_RESOURCE: EPERM; what other programs use up decides (pipe(7): /proc files)",
    "resize-invalid": "more than 2^31 bytes: EINVAL (round_pipe_size)",
}

SIGNALS: Mapping[str, str] = {
    "sigaction": "SIGPIPE is ignored, or has its default action, from now on (sigaction(2))",
    "sigaction-discards": "to ignore a pending SIGPIPE discards it (sigaction(2), POSIX)",
    "sigmask": "SIGPIPE is blocked, or not, from now on (sigprocmask(2))",
    "sigmask-discards": "an ignored SIGPIPE that is pending goes when it is unblocked (signal(7))",
    "sigmask-dies": "a pending SIGPIPE with its default action ends the process that unblocks it "
    "(sigprocmask(2), signal(7))",
    "sigtimedwait": "a pending SIGPIPE is taken, and is pending no longer (sigtimedwait(2))",
}

DYING: Mapping[str, str] = {
    "exit-reads": "a reader that is killed looks once more on its way out: what it finds then is "
    "read and lost (anon_pipe_read: the condition is looked at before the signal)",
    "exit-writes": "a writer that is killed looks once more on its way out: what then fits is "
    "written (anon_pipe_write: signals are looked at only when all slots are in use)",
    "exit-closes": "death closes each end that the process holds, one after the other "
    "(_exit(2), do_exit)",
    "exit": "death: the process has no place in line any more and holds nothing (_exit(2))",
}

RULES: Mapping[str, str] = {**READING, **WRITING, **DESCRIPTORS, **SIZES, **SIGNALS, **DYING}
