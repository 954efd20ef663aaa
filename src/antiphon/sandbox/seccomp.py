"""Which calls of the kernel a sandbox may make: a filter, as the kernel reads it.

All are allowed but those that have no place in an ordinary program and a history of ways out: other processes'
memory, keys, mounts, namespaces, kernel modules, tracing, rings and handles. Memory that no limit sees (memfd, System
V) is none here, and sockets are those of this machine's own network. The table needs no library: both kernels'
numbers are fixed for ever.
"""

import errno
import platform
import struct
from typing import Final

_NUMBERS: Final[dict[str, dict[str, int]]] = {
    "x86_64": {
        "_sysctl": 156, "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "chroot": 161, "clock_adjtime": 305,
        "clock_settime": 227, "create_module": 174, "delete_module": 176, "fanotify_init": 300, "fanotify_mark": 301,
        "finit_module": 313, "get_kernel_syms": 177, "get_mempolicy": 239, "init_module": 175, "ioperm": 173,
        "iopl": 172, "kcmp": 312, "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "lookup_dcookie": 212,
        "mbind": 237, "memfd_create": 319, "migrate_pages": 256, "modify_ldt": 154, "mount": 165, "move_pages": 279,
        "msgget": 68, "name_to_handle_at": 303, "nfsservctl": 180, "open_by_handle_at": 304, "perf_event_open": 298,
        "pivot_root": 155, "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "query_module": 178,
        "quotactl": 179, "reboot": 169, "remap_file_pages": 216, "request_key": 249, "setdomainname": 171,
        "sethostname": 170, "set_mempolicy": 238, "setns": 308, "settimeofday": 164, "shmget": 29, "swapoff": 168,
        "swapon": 167, "sysfs": 139, "syslog": 103, "umount2": 166, "unshare": 272, "uselib": 134, "userfaultfd": 323,
        "ustat": 136, "vhangup": 153,
        "clone": 56, "ioctl": 16, "personality": 135, "socket": 41,
    },
    "aarch64": {
        "acct": 89, "add_key": 217, "adjtimex": 171, "bpf": 280, "chroot": 51, "clock_adjtime": 266,
        "clock_settime": 112, "delete_module": 106, "fanotify_init": 262, "fanotify_mark": 263, "finit_module": 273,
        "get_mempolicy": 236, "init_module": 105, "kcmp": 272, "kexec_file_load": 294, "kexec_load": 104,
        "keyctl": 219, "lookup_dcookie": 18, "mbind": 235, "memfd_create": 279, "migrate_pages": 238, "mount": 40,
        "move_pages": 239, "msgget": 186, "name_to_handle_at": 264, "nfsservctl": 42, "open_by_handle_at": 265,
        "perf_event_open": 241, "pivot_root": 41, "process_vm_readv": 270, "process_vm_writev": 271, "ptrace": 117,
        "quotactl": 60, "reboot": 142, "remap_file_pages": 234, "request_key": 218, "setdomainname": 162,
        "sethostname": 161, "set_mempolicy": 237, "setns": 268, "settimeofday": 170, "shmget": 194, "swapoff": 225,
        "swapon": 224, "syslog": 116, "umount2": 39, "unshare": 97, "userfaultfd": 282, "vhangup": 58,
        "clone": 220, "ioctl": 29, "personality": 92, "socket": 198,
    },
}  # fmt: skip
_EVERYWHERE: Final = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447,
    "set_mempolicy_home_node": 450, "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460, "lsm_list_modules": 461, "open_tree_attr": 467,
}  # fmt: skip
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LOOKED_INTO: Final = ("clone", "ioctl", "personality", "socket")
_ABSENT: Final = frozenset({"clone3", "memfd_create", "memfd_secret", "io_uring_setup", "shmget", "msgget"})
"""Those that programs do without where the kernel has none: they are told that it has none."""

_NAMESPACES: Final = 0x7E020000 | 0x80
_TERMINAL_INPUT: Final = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000


def machine() -> str | None:
    """The kernel's name of this processor where there is a filter for it, else None."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    return name if name in _NUMBERS else None


def program(architecture: str) -> bytes:
    """The filter for a processor, to be given to the kernel. `KeyError` where there is none."""
    numbers = _NUMBERS[architecture] | _EVERYWHERE
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_EQUAL, _ARCHITECTURES[architecture], yes=1),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER),
        _line(_AT_LEAST, _X32, no=1),
        _refusal(errno.ENOSYS),
    ]
    for name, number in numbers.items():
        if name not in _LOOKED_INTO:
            problem = errno.ENOSYS if name in _ABSENT else errno.EPERM
            lines += [_line(_EQUAL, number, no=1), _refusal(problem)]
    for name, body in _bodies().items():
        lines += [_line(_EQUAL, numbers[name], no=len(body)), *body]
    lines.append(_line(_RETURN, _ALLOW))
    return b"".join(lines)


def _bodies() -> dict[str, list[bytes]]:
    """What is asked of the arguments of a call. Each ends with an answer: the number is no longer at hand."""
    allow, refuse = _line(_RETURN, _ALLOW), _refusal(errno.EPERM)
    terminal = [_line(_LOAD, _argument(1))]
    for request in _TERMINAL_INPUT:
        terminal += [_line(_EQUAL, request, no=1), refuse]
    return {
        "clone": [_line(_LOAD, _argument(0)), _line(_ANY_BIT, _NAMESPACES, no=1), refuse, allow],
        "ioctl": [*terminal, allow],
        # A program may ask, or want what it has; other personalities weaken the layout of memory.
        "personality": [
            _line(_LOAD, _argument(0)),
            _line(_EQUAL, 0, yes=1),
            _line(_EQUAL, 0xFFFFFFFF, no=1),
            allow,
            refuse,
        ],
        "socket": [
            _line(_LOAD, _argument(0)),
            _line(_EQUAL, _UNIX, yes=5),
            _line(_EQUAL, _INET, yes=4),
            _line(_EQUAL, _INET6, yes=3),
            _line(_EQUAL, _NETLINK, no=3),
            _line(_LOAD, _argument(2)),
            _line(_EQUAL, 0, no=1),  # routes, which programs ask for the names of interfaces
            allow,
            _refusal(errno.EAFNOSUPPORT),
        ],
    }


def _argument(place: int) -> int:
    return _ARGUMENTS + 8 * place  # its low half, on processors that put it first


def _refusal(problem: int) -> bytes:
    return _line(_RETURN, _REFUSE | problem)


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)
