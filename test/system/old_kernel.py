#!/usr/bin/env python3
"""Runs a program as kernels before 5.7 would without CAP_NET_RAW: SO_BINDTODEVICE and
SO_BINDTOIFINDEX are refused (EPERM), by a seccomp filter."""
import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, EPERM = 0x7FFF0000, 0x00050001
setsockopt = {"x86_64": 54, "aarch64": 208}[platform.machine()]

# struct seccomp_data: nr at 0, args[0] at 16, 8 bytes each; level 1 is SOL_SOCKET, options 25 and 62.
program = [(LOAD, 0, 0, 0), (EQUAL, 0, 6, setsockopt), (LOAD, 0, 0, 24), (EQUAL, 0, 4, 1), (LOAD, 0, 0, 32), (EQUAL, 1, 0, 25),
           (EQUAL, 0, 1, 62), (RETURN, 0, 0, EPERM), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *each) for each in program))
libc = ctypes.CDLL(None, use_errno=True)
filter = struct.pack("@HxxxxxxQ", len(program), ctypes.addressof(code))
libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.c_char_p(filter)) != 0:
    sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
