"""Starts programs and waits for them, without a thread for each and without holding the interpreter.

subprocess and os.posix_spawn hold the interpreter until the new program's exec, so that the starts of all slots would
wait for one another. posix_spawn by way of ctypes does not. Where the system lacks what this takes, subprocess does it.
"""

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

_SETSIGDEF, _SETSID = 0x04, 0x80
_ATTRIBUTE_BYTES, _SIGNAL_SET_BYTES, _ACTIONS_BYTES = 336, 128, 80
"""Of glibc and musl, on 64 bits."""
_LOOK_S = 0.01
"""How late the end of a program is noticed on a system without pidfds."""


def start(command: Sequence[str], stdout: int, stderr: int) -> int:
    """Start a program in a session of its own, with these two streams, and return its pid; raise OSError."""
    words = [os.fsencode(word) for word in command]
    return _spawn(words, stdout, stderr) if _CAN_SPAWN else _popen(command, stdout, stderr)


def wait(pid: int, streams: Sequence[int], read: Callable[[int], bool], ends_s: float | None) -> bool:
    """Read the streams until the program has ended, without reaping it; False if the time (monotonic) came first.

    read takes what a stream has, and returns whether the stream goes on.
    """
    poll = select.poll()
    for stream in streams:
        poll.register(stream, select.POLLIN)
    pidfd = _pidfd(pid)
    try:
        if pidfd is not None:
            poll.register(pidfd, select.POLLIN)
        while True:
            left_s = None if ends_s is None else ends_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                return False
            look_s = min(_LOOK_S, left_s or _LOOK_S) if pidfd is None else left_s
            ready = [descriptor for descriptor, _ in poll.poll(None if look_s is None else 1000 * look_s)]
            for stream in set(ready) - {pidfd}:
                if not read(stream):
                    poll.unregister(stream)
            if pidfd in ready if pidfd is not None else _has_ended(pid):
                return True
    finally:
        if pidfd is not None:
            os.close(pidfd)


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one, or not allowed in this container
        return None


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _popen(command: Sequence[str], stdout: int, stderr: int) -> int:
    program = subprocess.Popen(  # noqa: S603 (running the author's command is the task)
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
    )
    program.returncode = 0  # it is waited for by its pid: Popen would warn of that
    return program.pid


def _spawn(words: Sequence[bytes], stdout: int, stderr: int) -> int:
    actions = ctypes.create_string_buffer(_ACTIONS_BYTES)
    _libc.posix_spawn_file_actions_init(actions)
    try:
        _libc.posix_spawn_file_actions_addopen(actions, 0, b"/dev/null", os.O_RDONLY, 0)
        _libc.posix_spawn_file_actions_adddup2(actions, stdout, 1)
        _libc.posix_spawn_file_actions_adddup2(actions, stderr, 2)
        argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        pid = ctypes.c_int()
        error = _libc.posix_spawnp(ctypes.byref(pid), words[0], actions, _ATTRIBUTES, argv, _ENVIRONMENT)
    finally:
        _libc.posix_spawn_file_actions_destroy(actions)
    if error:
        raise OSError(error, os.strerror(error), os.fsdecode(words[0]))
    return pid.value


def _attributes() -> ctypes.Array[ctypes.c_char]:
    """A session of its own; signals that Python ignores, and a program does not expect to be ignored, do as usual."""
    attributes, restored = (ctypes.create_string_buffer(size) for size in (_ATTRIBUTE_BYTES, _SIGNAL_SET_BYTES))
    _libc.posix_spawnattr_init(attributes)
    _libc.posix_spawnattr_setflags(attributes, ctypes.c_short(_SETSIGDEF | _SETSID))
    _libc.sigemptyset(restored)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        _libc.sigaddset(restored, number)
    _libc.posix_spawnattr_setsigdefault(attributes, restored)
    return attributes


_libc = ctypes.CDLL(None, use_errno=True)
_CAN_SPAWN = os.uname().sysname == "Linux" and ctypes.sizeof(ctypes.c_void_p) == 8
if _CAN_SPAWN:
    _ATTRIBUTES = _attributes()
    _ENVIRONMENT = ctypes.c_void_p.in_dll(_libc, "environ")
    """Ours, as it is when a program starts."""
