"""The kernel's namespace calls, through the C library, and why one of them is refused.

Follows namespaces(7), user_namespaces(7) and mount(2). Every function raises OSError as the
system call fails; what a failure means for a run is decided by the callers.
"""

import ctypes
import errno
import os
from typing import NamedTuple


class Missing(NamedTuple):
    """Why something was not obtained, and what would help."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


CLONE = {
    "user": 0x10000000,
    "ipc": 0x08000000,
    "pid": 0x20000000,
    "mount": 0x00020000,
    "network": 0x40000000,
    "uts": 0x04000000,
}
"""The flags of unshare(2) by the namespace's name (include/uapi/linux/sched.h)."""

_MAXIMUM = {"mount": "mnt", "network": "net"}

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36

CAP_SETGID, CAP_SETUID = 6, 7
CAP_SYS_PTRACE, CAP_SYS_NICE, CAP_SYS_RESOURCE = 19, 23, 24

NO_USERS = Missing(
    "an ordinary user cannot give other user ids to a sandbox",
    "run as root, with CAP_SETUID and CAP_SETGID",
)

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def prctl(option: int, argument: int) -> None:
    _checked(_prctl(option, argument, 0, 0, 0), "prctl")


def unshare(kinds: tuple[str, ...]) -> None:
    """Leave the namespaces of these kinds for new ones, all of them or none."""
    _checked(_libc.unshare(sum(CLONE[kind] for kind in kinds)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    arguments = (source, target, kind or "none")
    _checked(
        _libc.mount(
            *(text.encode() for text in arguments), ctypes.c_ulong(flags), options.encode() or None
        ),
        target,
    )


def has_capability(number: int) -> bool:
    """Whether this process has a capability in effect, in its own user namespace."""
    return bool(int(_status("CapEff"), 16) >> number & 1)


def can_change_user() -> bool:
    return has_capability(CAP_SETUID) and has_capability(CAP_SETGID)


def clear_capabilities() -> None:
    """Give up every capability of this process for good, capset(2)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def identity(kind: str) -> str:
    """What tells this process's namespace from others, such as ``"ipc:[4026531839]"``."""
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return f"{kind}:[none]"


def trial(kinds: tuple[str, ...]) -> int:
    """The errno with which a throw-away child is refused these namespaces; 0 if it gets them."""
    child = os.fork()
    if child == 0:
        try:
            unshare(kinds)
        except OSError as error:
            os._exit(error.errno or errno.EPERM)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def obtainable(kinds: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Missing]]:
    """Which of these namespaces this process can have, each tried by itself, and why not the
    others. Without a user namespace of its own, only a privileged process gets any."""
    missing: dict[str, Missing] = {}
    base: tuple[str, ...] = ()
    if "user" in kinds:
        refused = trial(("user",))
        if refused:
            missing["user"] = refusal("user", refused)
        else:
            base = ("user",)
    found = base
    for kind in kinds:
        if kind != "user":
            refused = trial((*base, kind))
            if refused:
                missing[kind] = missing.get("user") or refusal(kind, refused)
            else:
                found = (*found, kind)
    return found, missing


def refusal(kind: str, number: int) -> Missing:
    """What an errno of unshare(2) means for this kind of namespace, on this machine."""
    maximum = f"user.max_{_MAXIMUM.get(kind, kind)}_namespaces"
    if number in (errno.ENOSPC, errno.EUSERS):
        return Missing(
            f"no more {kind} namespaces are to be had: {maximum} is {setting(maximum)}",
            f"raise it: sysctl -w {maximum}=10000",
        )
    if number in (errno.EINVAL, errno.ENOSYS):
        return Missing(
            f"this kernel was built without {kind} namespaces",
            f"use a kernel with CONFIG_{kind.upper()[:4].rstrip('W')}_NS",
        )
    for name, closed, opened in (
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ):
        if setting(name) == closed:
            return Missing(
                f"{name} is {closed}, which keeps ordinary users from having {kind} namespaces",
                f"allow it: sysctl -w {name}={opened}",
            )
    if _status("Seccomp") == "2":
        return Missing(
            f"unshare of the {kind} namespace is refused ({os.strerror(number)}), most likely by "
            "the seccomp filter that this process runs under",
            "start the container with a profile that allows unshare "
            "(docker: --security-opt seccomp=unconfined)",
        )
    return Missing(
        f"unshare of the {kind} namespace is refused: {os.strerror(number)}",
        "look for a security module or a chroot around this process",
    )


def setting(name: str) -> str | None:
    """The text of a sysctl, or ``None`` where there is none or it cannot be read."""
    try:
        with open("/proc/sys/" + name.replace(".", "/")) as file:
            return file.read().strip()
    except OSError:
        return None


def _status(field: str) -> str:
    """A field of this process's /proc/self/status, ``"0"`` where there is none."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name == field:
                    return value.strip()
    except OSError:
        pass
    return "0"


def write_maps(pid: int, others: tuple[int, ...]) -> Missing | None:
    """Make the caller's own ids root's in the new user namespace of process ``pid``: only root may
    write the sysctls of an IPC namespace (ipc/ipc_sysctl.c). The ids ``others`` (consecutive)
    get the same numbers inside, which takes CAP_SETUID and CAP_SETGID.

    Returns why the others could not be had; raises OSError if even the own ids could not.
    """
    own_user, own_group = f"0 {os.geteuid()} 1", f"0 {os.getegid()} 1"
    missing = None
    if others:
        more = f"\n{others[0]} {others[0]} {len(others)}"
        missing = _try_more(pid, own_group + more, own_user + more)
        if missing is None:
            return None
    _write(pid, "setgroups", "deny")
    _write(pid, "gid_map", own_group)
    _write(pid, "uid_map", own_user)
    return missing


def _try_more(pid: int, groups: str, users: str) -> Missing | None:
    if not can_change_user():
        return NO_USERS
    try:
        _write(pid, "uid_map", users)
    except OSError as error:
        return Missing(
            f"other user ids are refused ({error.strerror}): the user namespace around this "
            "process does not have them",
            "run outside of it",
        )
    _write(pid, "gid_map", groups)
    return None


def _write(pid: int, name: str, text: str) -> None:
    descriptor = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
