#!/usr/bin/env python3
"""What libgssdp sees: `INTERFACE 4|6 TARGET`. One line for each resource that comes or goes."""
import sys

import gi

gi.require_version("GSSDP", "1.6")
from gi.repository import GLib, Gio, GSSDP  # noqa: E402

interface, family, target = sys.argv[1:]
client = GSSDP.Client(interface=interface, address_family=Gio.SocketFamily.IPV6 if family == "6" else Gio.SocketFamily.IPV4)
client.init(None)
browser = GSSDP.ResourceBrowser(client=client, target=target)
browser.connect("resource-available", lambda _, usn, locations: print("available", usn, *locations, flush=True))
browser.connect("resource-unavailable", lambda _, usn: print("unavailable", usn, flush=True))
browser.set_active(True)
print("browsing", flush=True)
GLib.MainLoop().run()
