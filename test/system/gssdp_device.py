#!/usr/bin/env python3
"""A UPnP root device announced by libgssdp: `INTERFACE 4|6 UUID LOCATION`. Answers searches; says byebye on SIGTERM."""
import signal
import sys

import gi

gi.require_version("GSSDP", "1.6")
from gi.repository import GLib, Gio, GSSDP  # noqa: E402

interface, family, uuid, location = sys.argv[1:]
client = GSSDP.Client(interface=interface, address_family=Gio.SocketFamily.IPV6 if family == "6" else Gio.SocketFamily.IPV4)
client.init(None)
group = GSSDP.ResourceGroup(client=client)
group.add_resource_simple("upnp:rootdevice", f"uuid:{uuid}::upnp:rootdevice", location)
group.set_available(True)
loop = GLib.MainLoop()


def leave():
    group.set_available(False)
    GLib.timeout_add(500, loop.quit)
    return GLib.SOURCE_REMOVE


GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, leave)
print("announced", flush=True)
loop.run()
