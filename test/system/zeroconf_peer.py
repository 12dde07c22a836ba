#!/usr/bin/env python3
"""python-zeroconf, as Home Assistant uses it: `browse TYPE`, or `publish TYPE NAME ADDRESS…`. One line for each thing seen."""
import signal
import socket
import sys
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

words = sys.argv[1:]
zeroconf = Zeroconf(ip_version=IPVersion.All)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def say(*words):
    """One line in one write: the browser's thread and this one may speak at once."""
    print(" ".join(map(str, words)) + "\n", end="", flush=True)


class Listener:
    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name, 3000)
        say("added", name, info and f"{info.server} {info.port} {' '.join(info.parsed_addresses())}")

    def update_service(self, zeroconf, kind, name):
        say("updated", name)

    def remove_service(self, zeroconf, kind, name):
        say("removed", name)


def pack(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


try:
    if words[0] == "browse":
        ServiceBrowser(zeroconf, f"{words[1]}.local.", Listener())
        say("browsing")
    else:
        kind = f"{words[1]}.local."
        info = ServiceInfo(kind, f"{words[2]}.{kind}", port=8123, addresses=[pack(each) for each in words[3:]], server=f"{words[2]}.local.")
        zeroconf.register_service(info, allow_name_change=True)
        say("published", info.name)
    while True:
        time.sleep(1)
finally:
    zeroconf.close()
