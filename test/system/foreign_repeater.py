#!/usr/bin/env python3
"""A repeater as people have them in their routers: all of mDNS and SSDP from each interface to the others, from its own
address, IPv4 and IPv6, no guard but to drop what it sent itself. Arguments: interfaces."""
import selectors
import socket
import struct
import sys

GROUPS = [(4, "224.0.0.251", 5353, 255), (4, "239.255.255.250", 1900, 2), (6, "ff02::fb", 5353, 255), (6, "ff02::c", 1900, 2), (6, "ff05::c", 1900, 2)]


def open_one(family, group, port, hops, interface):
    index = socket.if_nametoindex(interface)
    made = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    made.setblocking(False)
    if family == 6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((group, port, 0, index))
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        return made, (group, port, 0, index)
    request = socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + struct.pack("@i", index)
    made.bind((group, port))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    return made, (group, port)


def main():
    selector = selectors.DefaultSelector()
    for group in GROUPS:
        members = {interface: open_one(*group, interface) for interface in sys.argv[1:]}
        for interface, (made, _) in members.items():
            selector.register(made, selectors.EVENT_READ, (made, [each for name, each in members.items() if name != interface]))
    print("repeating", flush=True)
    while True:
        for key, _ in selector.select():
            made, others = key.data
            try:
                data = made.recv(65535)
            except OSError:
                continue
            for other, destination in others:
                try:
                    other.sendto(data, destination)
                except OSError:
                    pass


main()
