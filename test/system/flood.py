#!/usr/bin/env python3
"""Sends mDNS announcements, no two alike, as fast as it can: `GROUP PORT INTERFACE`. Says its rate each second."""
import socket
import struct
import sys
import time

group, port, interface = sys.argv[1], int(sys.argv[2]), sys.argv[3]
made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", socket.if_nametoindex(interface)))
made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
made.bind(("", port))
made.connect((group, port))

head = struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0)
tail = b"\x05local\x00" + struct.pack("!HHIH4s", 1, 0x8001, 120, 4, bytes([10, 71, 1, 11]))
print("flooding", flush=True)
count, since, number = 0, time.monotonic(), 0
while True:
    for _ in range(500):
        number += 1
        try:
            made.send(head + b"\x0c%012d" % number + tail)
        except OSError:
            continue
    count += 500
    now = time.monotonic()
    if now - since >= 1:
        print(int(count / (now - since)), "a second", flush=True)
        count, since = 0, now
