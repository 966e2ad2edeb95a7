"""What a run made outside namespaces of its own, so that it can be removed however the run ends.

Every run that needs it has one file, which the run's first process keeps locked with flock(2)
for as long as it lives: a file that can be locked belongs to a dead run, and may be swept. A
name or key is written down before the object is made, so that no kill finds it unregistered.
Names and keys are drawn at random and nobody else's. Leaves out what has neither.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import stat
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.errors import BadInput, Broken
from harness.execute.namespaces import identity

PREFIX = "/ipch-"
_UNLINK = {"posix_mq": "mq_unlink", "posix_sem": "sem_unlink", "posix_shm": "shm_unlink"}
_SYSTEM_V = ("sysv_sem", "sysv_msg", "sysv_shm")
_KEYS = tuple(f"{kind}_key" for kind in _SYSTEM_V)
_PATHS = ("socket", "fifo", "file", "directory")
KINDS = (*_UNLINK, *_SYSTEM_V, *_KEYS, *_PATHS)
_IPC_RMID = 0
_SCRATCH = ".d"

Identifier = str | int


class Run(NamedTuple):
    """A run that has a file in the registry."""

    owner: str
    """Its token: the process id of its first process, and a random part."""
    path: str
    lock: int
    """The descriptor that holds the lock, in the first process; closed in all others."""

    @property
    def scratch(self) -> str:
        """The directory for what the run makes in the file system; it is swept as a whole."""
        return self.path + _SCRATCH


class Private(NamedTuple):
    """What the kernel removes by itself, because it lives in a namespace of the run's own."""

    ipc: bool = False
    shm: bool = False


class _Context:
    """The run that this process belongs to; inherited by fork."""

    run: Run | None = None
    private = Private()
    scratch: str | None = None
    user = -1
    """The run's user, as this process sees it."""


def directory() -> str:
    """The place of this user's registry, which need not exist."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):
        return os.path.join(runtime, "ipc-harness")
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"ipc-harness-{os.geteuid()}")


def begin() -> Run:
    """Open the registry for the run whose first process this is; its file appears locked.

    Raises Broken if there is no safe place for it, or no room.
    """
    place, owner = directory(), f"{os.getpid()}-{os.urandom(6).hex()}"
    try:
        for _ in range(100):
            with contextlib.suppress(FileExistsError):
                os.makedirs(place, 0o700)
            _check_ours(place)
            # A run that ends removes the directory if it is empty.
            with contextlib.suppress(FileNotFoundError):
                return _new_run(place, owner)
    except OSError as error:
        raise Broken(
            f"{place} cannot be the registry of what runs make: {error.strerror}; set TMPDIR to a "
            "directory that can be written and has room"
        ) from error
    raise Broken(f"{place} disappears as fast as it is made; set TMPDIR to another directory")


def _check_ours(place: str) -> None:
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Broken(
            f"{place} is not a directory that only this user can enter (mode 0700); remove it, or "
            "set TMPDIR"
        )


def _new_run(place: str, owner: str) -> Run:
    path, hidden = os.path.join(place, owner), os.path.join(place, f".{owner}")
    lock = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_APPEND, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(lock, _line(_boot(), identity("ipc")))
        os.rename(hidden, path)
        os.mkdir(path + _SCRATCH, 0o700)
    except OSError:
        os.close(lock)
        raise
    return Run(owner, path, lock)


def adopt(run: Run | None, private: Private, scratch: str | None) -> None:
    """Tell this process, and those that it forks, which run it belongs to."""
    _Context.run, _Context.private, _Context.scratch = run, private, scratch
    _Context.user = os.geteuid()


def unique_name(kind: str) -> str:
    """A name that nothing else has: of a POSIX object, or a path in the run's own directory."""
    random = os.urandom(8).hex()
    if kind in _UNLINK:
        return PREFIX + random
    if kind not in _PATHS:
        raise BadInput(f"{kind!r} has no names; choose one of {', '.join((*_UNLINK, *_PATHS))}")
    if _Context.scratch is None:
        raise Broken(f"no place for a {kind}: this process is in no sandbox; enter one first")
    return os.path.join(_Context.scratch, random)


def unique_key() -> int:
    """A random key for semget, msgget and shmget, to be used with IPC_CREAT | IPC_EXCL."""
    return int.from_bytes(os.urandom(4), "little") & 0x7FFFFFFF or 1


def register(kind: str, identifier: Identifier) -> None:
    """Write down that this run makes an object: before it is made, or, if it is known by an id
    that the kernel gives out, right after. Costs nothing for what a namespace will remove."""
    if _recorded(kind, identifier):
        traits = maker(kind, int(identifier), _Context.user) if kind in _SYSTEM_V else None
        _append("made", kind, identifier, traits)


def forget(kind: str, identifier: Identifier) -> None:
    """Write down that an object was removed."""
    if _recorded(kind, identifier):
        _append("gone", kind, identifier, None)


def sweep(owner: str | None = None) -> list[str]:
    """Remove what runs left whose first process is dead; with ``owner``, only that run's.

    Returns what was removed, in words. Nothing of a living run, or that has passed into other
    hands, is touched.
    """
    place = directory()
    removed: list[str] = []
    try:
        names = sorted(os.listdir(place))
        if names:
            _check_ours(place)
    except FileNotFoundError:
        return []
    for name in names:
        if (owner is None or name.lstrip(".") == owner) and not name.endswith(_SCRATCH):
            # What resists is left for the next sweep, and must not keep a run from starting.
            with contextlib.suppress(OSError):
                removed += _sweep_file(os.path.join(place, name))
    with contextlib.suppress(OSError):
        os.rmdir(place)
    return removed


def finish(run: Run) -> list[str]:
    """In a run's first process, once the others are dead: remove what is left of it."""
    removed = _sweep_locked(run.path)
    os.close(run.lock)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(run.path))
    return removed


def _sweep_file(path: str) -> list[str]:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _sweep_locked(path) if os.fstat(lock).st_nlink else []
    except BlockingIOError:
        return []
    finally:
        os.close(lock)


def _sweep_locked(path: str) -> list[str]:
    with open(path, "rb") as file:
        lines = [_parsed(line) for line in file]
    boot, ipc = lines[0] if lines and len(lines[0]) == 2 else (None, None)
    removed = []
    if boot == _boot():
        if ipc != identity("ipc"):
            return []
        left = _left(lines[1:])
        removed = [f"{kind} {name}" for (kind, name), traits in left if _remove(kind, name, traits)]
    removed += [f"file {name}" for name in _remove_tree(path + _SCRATCH)]
    os.unlink(path)
    return removed


def _left(lines: list[list[Any]]) -> list[tuple[tuple[str, Identifier], Any]]:
    """What was made and is not gone, the newest first."""
    left: dict[tuple[str, Identifier], Any] = {}
    for line in lines:
        if len(line) == 4:
            what, kind, identifier, traits = line
            if what == "made":
                left[kind, identifier] = traits
            else:
                left.pop((kind, identifier), None)
    return list(reversed(left.items()))


def _remove(kind: str, identifier: Identifier, traits: Any) -> bool:
    if kind in _UNLINK:
        return _call(_UNLINK[kind], os.fsencode(str(identifier))) == 0
    number = int(identifier)
    if kind in _KEYS:
        kind = kind.removesuffix("_key")
        number = _call(kind[5:] + "get", number, *((0,) if kind == "sysv_msg" else (0, 0)))
        return number >= 0 and _remove_id(kind, number)
    now = maker(kind, number, os.geteuid())
    return now is not None and now == traits and _remove_id(kind, number)


def _remove_id(kind: str, number: int) -> bool:
    if kind == "sysv_sem":
        return _call("semctl", number, 0, _IPC_RMID) == 0
    return _call(kind[5:] + "ctl", number, _IPC_RMID, None) == 0


def maker(kind: str, number: int, user: int) -> list[str] | None:
    """What tells a System V object from a later one with the same id; ``None`` if it is gone.

    It must read the same inside and outside the namespaces of a run, so the creator is told
    relative to ``user``, the run's user as the caller sees it. Objects without a key are also
    told apart by the time of their last change, so that one of them that was changed after it
    was registered is rather left than taken from others.
    """
    with open(f"/proc/sysvipc/{kind[5:]}") as file:
        titles = file.readline().split()
        place = titles.index("msqid" if kind == "sysv_msg" else f"{kind[5:]}id")
        for line in file:
            fields = line.split()
            if fields[place] == str(number):
                row = dict(zip(titles, fields, strict=True))
                creator = "the run" if row["cuid"] == str(user) else row["cuid"]
                return [row["key"], creator, *([row["ctime"]] if row["key"] == "0" else [])]
    return None


def _recorded(kind: str, identifier: Identifier) -> bool:
    """Whether an object must be written down; refuses what the sweep could not remove safely."""
    if kind not in KINDS:
        raise BadInput(f"unknown kind of object {kind!r}; choose one of {', '.join(KINDS)}")
    if kind in _PATHS:
        inside = f"{_Context.scratch}/"
        if _Context.run is not None and not str(identifier).startswith(inside):
            raise BadInput(f"{identifier!r} is not in {inside}; take paths from unique_name()")
        return False
    private = _Context.private.shm if kind in ("posix_shm", "posix_sem") else _Context.private.ipc
    if private or _Context.run is None:
        return False
    if kind in _UNLINK and not str(identifier).startswith(PREFIX):
        raise BadInput(f"{identifier!r} may be somebody else's; take names from unique_name()")
    return True


def _append(*fields: Any) -> None:
    run = _Context.run
    if run is not None:
        try:
            with open(run.path, "ab", buffering=0) as file:
                file.write(_line(*fields))
        except OSError as error:
            raise Broken(
                f"{run.path} cannot be written: {error.strerror}; set TMPDIR to a directory "
                "that has room"
            ) from error


def _line(*fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _parsed(line: bytes) -> list[Any]:
    """A line's fields; none for one that was cut short by a full disk."""
    try:
        return list(json.loads(line))
    except ValueError:
        return []


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _remove_tree(path: str) -> list[str]:
    removed = []
    try:
        os.chmod(path, 0o700)
        entries = list(os.scandir(path))
    except FileNotFoundError:
        return []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            removed += _remove_tree(entry.path)
        else:
            os.unlink(entry.path)
            removed.append(entry.path)
    os.rmdir(path)
    return removed


def _call(name: str, *arguments: Any) -> int:
    """A function of the C library, which before glibc 2.34 had some in librt and libpthread."""
    for library in (None, "librt.so.1", "libpthread.so.0"):
        function: Callable[..., int] | None = getattr(ctypes.CDLL(library), name, None)
        if function is not None:
            return function(*arguments)
    raise Broken(f"the C library has no {name}; use glibc or musl")
