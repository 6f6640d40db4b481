"""What keeps a process that reads strangers' files from doing anything else, by the means of the Linux kernel.

Each is used where the kernel (or the container around) lets us: `confine` says which are in force. Together: no
network, no other process, no files but those of one folder and Python's own, bounded memory, time and file sizes.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path

import msgspec

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_CLONE_THREAD, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = 0x10000, 0x08000000, 0x10000000, 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Bounds(msgspec.Struct, frozen=True):
    """`memory_bytes` is of addresses (RLIMIT_AS); `file_bytes` of each file that is written."""

    memory_bytes: int
    cpu_s: int
    file_bytes: int


def die_with(parent: int) -> None:
    """Leave nothing running behind a parent that is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def bound(bounds: Bounds) -> None:
    """Limits that the kernel keeps (getrlimit(2)); other processes go first."""
    for limit, value in (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_s),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.nice(10)


def leave_network() -> bool:
    """Be in a namespace without network (user_namespaces(7)). Before any thread is started."""
    return bool(_LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0)


def confine(folder: Path) -> list[str]:
    """Give up everything but this folder and reading Python's own. After everything is imported, before a file of
    somebody else's is opened. Returns what is in force of "landlock" and "seccomp"."""
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return []
    in_force = []
    if _landlock(folder):
        in_force.append("landlock")
    if _seccomp():
        in_force.append("seccomp")
    return in_force


def main() -> None:
    """Say which means this kernel grants, as a JSON list: `python -I -m folkmoot.media.confinement`."""
    granted = ["namespaces"] if leave_network() else []
    sys.stdout.buffer.write(msgspec.json.encode([*granted, *confine(Path.cwd())]))


# --- landlock(7) ---

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_EVERYTHING = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_PATH_BENEATH = 1


def _landlock(folder: Path) -> bool:
    version = _LIBC.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    handled = _EVERYTHING[min(version, 3)]
    attributes = struct.pack("Q", handled)
    ruleset = _LIBC.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    own = _READ_FILE | _WRITE_FILE | _READ_DIR | _MAKE_REG | _REMOVE_FILE | _TRUNCATE
    allowed = {folder: own} | {Path(path): _READ_FILE | _READ_DIR for path in (*sys.path, sys.base_prefix)}
    for path, access in allowed.items():
        if not path.is_dir():
            continue
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", access & handled, opened)
        _LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        os.close(opened)
    done = _LIBC.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


# --- seccomp(2): a program of classic BPF ---

_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_X32 = 0x40000000


class _Calls(msgspec.Struct, frozen=True):
    """The numbers of system calls on one architecture."""

    audit: int  # what seccomp calls the architecture (linux/audit.h)
    clone: int
    clone3: int
    refused: tuple[int, ...]


_CALLS = {
    # socket to getpeername, fork, vfork, execve, kill, ptrace, keys, mounts, unshare, other processes' memory, …
    "x86_64": _Calls(
        0xC000003E, 56, 435,
        (41, 42, 43, 49, 50, 53, 57, 58, 59, 62, 101, 155, 161, 165, 166, 175, 176, 246, 248, 249, 250, 272, 288,
         298, 304, 308, 310, 311, 313, 320, 321, 322, 323, 424, 425, 426, 427, 428, 429, 430, 434, 438, 440, 442),
    ),
    "aarch64": _Calls(
        0xC00000B7, 220, 435,
        (198, 199, 200, 201, 202, 203, 242, 221, 129, 117, 41, 51, 40, 39, 105, 106, 104, 217, 218, 219, 97, 241,
         265, 268, 270, 271, 273, 280, 281, 282, 294, 424, 425, 426, 427, 428, 429, 430, 434, 438, 440, 442),
    ),
}  # fmt: skip


def _seccomp() -> bool:
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return False
    program = b"".join(_instructions(calls))
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    return bool(_LIBC.prctl(_PR_SET_SECCOMP, 2, header, 0, 0) == 0)


def _instructions(calls: _Calls) -> list[bytes]:
    """Threads may be started, processes not; what is refused fails, so that a library goes on without it."""
    program = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_EQUAL, calls.audit, otherwise=0, then=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _X32, then=0, otherwise=1),
        _step(_RETURN, _KILL),
        _step(_EQUAL, calls.clone3, then=0, otherwise=1),
        _step(_RETURN, _REFUSE | _ENOSYS),  # the C library then takes `clone`, whose flags can be seen
        _step(_EQUAL, calls.clone, then=0, otherwise=4),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_ANY_BIT, _CLONE_THREAD, then=0, otherwise=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE | _EPERM),
    ]
    for number in calls.refused:
        program += [_step(_EQUAL, number, then=0, otherwise=1), _step(_RETURN, _REFUSE | _EPERM)]
    return [*program, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


if __name__ == "__main__":
    main()
