#!/usr/bin/env python3
"""The world of a network lab: process 1 of its own process, network and mount namespaces.

One process serves all hosts: a socket belongs to the network namespace in which it was made, so setns(2) before
socket(2) is enough. Requests and answers are JSON, one a line, on stdin and stdout; when stdin ends, so does this
process, and the kernel takes down every process and namespace below it. Python, since its sockets give the time to
live, the destination and the kernel's time of a datagram, which Node's do not.
"""
import ctypes
import errno
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
IP_PKTINFO, IP_RECVTTL, IP_TTL = 8, 12, 2
IP_MULTICAST_ALL = 49
IPV6_MULTICAST_ALL, IPV6_RECVPKTINFO, IPV6_PKTINFO, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 29, 49, 50, 51, 52
READS_AT_ONCE = 256

libc = ctypes.CDLL(None, use_errno=True)
selector = selectors.DefaultSelector()
hosts, sockets, processes = {}, {}, {}
work = sys.argv[1] if len(sys.argv) > 1 else "/tmp"


def check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount(source, target, kind, flags=0):
    check(libc.mount(source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), None))


def say(message):
    line = json.dumps(message).encode() + b"\n"
    while line:
        line = line[os.write(1, line):]


class Host:
    """A network namespace, and the directory that is /run for everything started in it."""

    def __init__(self, name):
        self.name = name
        self.run = os.path.join(work, name, "run")
        os.makedirs(self.run)
        check(libc.unshare(CLONE_NEWNET))
        self.namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.path = f"/proc/1/fd/{self.namespace}"
        # No duplicate address detection: addresses are good at once. Reverse path filters are inherited from the machine.
        for key, value in {"ipv6/conf/all/accept_dad": 0, "ipv6/conf/default/accept_dad": 0, "ipv6/conf/default/accept_ra": 0,
                           "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0, "ipv4/igmp_max_memberships": 200}.items():
            with open(f"/proc/sys/net/{key}", "w") as file:
                file.write(str(value))
        check(libc.setns(world, CLONE_NEWNET))

    def __enter__(self):
        check(libc.setns(self.namespace, CLONE_NEWNET))

    def __exit__(self, *_):
        check(libc.setns(world, CLONE_NEWNET))


def ip(lines):
    done = subprocess.run(["ip", "-force", "-batch", "-"], input="\n".join(lines), text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"ip: {done.stderr.strip()}")


def add_host(name, sysctls=None):
    hosts[name] = Host(name)
    with hosts[name]:
        for key, value in (sysctls or {}).items():
            with open(f"/proc/sys/net/{key}", "w") as file:
                file.write(str(value))
        ip(["link set lo up"])


def add_link(name):
    ip([f"link add br-{name} type bridge stp_state 0 mcast_snooping 0", f"link set br-{name} mtu 9000 up"])


def connect(connections):
    """Veth pairs: one end in a host, the other in the bridge of a link, which lives in this process' own namespace."""
    lines = []
    for each in connections:
        end = f"v{connect.count}"
        connect.count += 1
        lines.append(f"link add {end} type veth peer name {each['interface']} netns {hosts[each['host']].path}")
        lines.append(f"link set {end} mtu 9000 master br-{each['link']} up")
    ip(lines)
    by_host = {}
    for each in connections:
        name, mine = each["interface"], by_host.setdefault(each["host"], [])
        mine.append(f"link set {name} address {each['mac']} mtu {each['mtu']} up")
        mine += [f"address add {address} dev {name}{' nodad' if ':' in address else ''}" for address in each["addresses"]]
        mine += [f"route add {'::/0' if ':' in gateway else '0.0.0.0/0'} via {gateway} dev {name}" for gateway in each.get("gateways", [])]
    for name, mine in by_host.items():
        with hosts[name]:
            ip(mine)


connect.count = 0


def index_of(interface):
    return socket.if_nametoindex(interface)


def open_socket(family, port, interface=None, groups=(), source=None, reuse="both"):
    six = family == 6
    made = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    if reuse in ("both", "address"):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse == "both":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    for option in (socket.SO_RCVBUF, 33):  # SO_RCVBUFFORCE
        try:
            made.setsockopt(socket.SOL_SOCKET, option, 1 << 23)
        except OSError:
            pass
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if interface:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    if six:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        made.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        made.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
    made.bind((source or ("::" if six else "0.0.0.0"), port) if not (six and source and source.startswith("fe80"))
              else (source, port, 0, index_of(interface)))
    for group in groups:
        if six:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index_of(interface)))
        else:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + struct.pack("@i", index_of(interface)))
    return made


def listen(id, host, family, port, interface, groups=(), source=None, reuse="both", contains=None):
    with hosts[host]:
        made = open_socket(family, port, interface, groups, source, reuse)
    sockets[id] = {"socket": made, "family": family, "interface": interface, "host": host,
                   "contains": contains and bytes.fromhex(contains), "count": 0}
    selector.register(made, selectors.EVENT_READ, lambda: receive(id))
    return {"port": made.getsockname()[1]}


def receive(id):
    entry = sockets.get(id)
    for _ in range(READS_AT_ONCE):
        if entry is None:
            return
        try:
            data, ancillary, _flags, source = entry["socket"].recvmsg(65535, 512)
        except BlockingIOError:
            return
        except OSError as error:
            say({"event": "trouble", "id": id, "text": str(error)})
            return
        entry["count"] += 1
        if entry["contains"] and entry["contains"] not in data:
            continue
        packet = {"event": "packet", "id": id, "source": source[0].split("%")[0], "port": source[1], "data": data.hex()}
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("@ll", value[:16])
                packet["at"] = seconds * 1000 + nanoseconds / 1e6
            elif level == socket.IPPROTO_IP and kind == IP_TTL:
                packet["hops"] = struct.unpack("@i", value[:4])[0]
            elif level == socket.IPPROTO_IP and kind == IP_PKTINFO:
                packet["to"] = socket.inet_ntoa(value[8:12])
            elif level == socket.IPPROTO_IPV6 and kind == IPV6_HOPLIMIT:
                packet["hops"] = struct.unpack("@i", value[:4])[0]
            elif level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO:
                packet["to"] = socket.inet_ntop(socket.AF_INET6, value[:16])
        say(packet)


def send(id, to, port, data, hops=None):
    entry = sockets[id]
    return {"at": send_on(entry["socket"], entry["family"], entry["interface"], entry["host"], to, port, data, hops)}


def send_on(made, family, interface, host, to, port, data, hops):
    with hosts[host]:
        index = index_of(interface)
        if family == 6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            if hops is not None:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
            address = (to, port, 0, index if to.lower().startswith(("fe80", "ff")) else 0)
        else:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", index))
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            if hops is not None:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
            address = (to, port)
        at = time.time_ns() / 1e6
        for payload in [data] if isinstance(data, str) else data:
            made.sendto(bytes.fromhex(payload), address)
        return at


def send_raw(host, interface, source, to, port, source_port, data, hops=255, identification=1):
    """An IPv4 header of our own: the kernel fills in checksum and length only (raw(7))."""
    payload = bytes.fromhex(data)
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) + len(payload), identification, 0, hops, 17, 0,
                         socket.inet_aton(source), socket.inet_aton(to))
    with hosts[host]:
        made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", index_of(interface)))
        made.sendto(header + udp + payload, (to, 0))
        made.close()


def close(id):
    entry = sockets.pop(id, None)
    if entry is not None:
        selector.unregister(entry["socket"])
        entry["socket"].close()


def watch_frames(id, host, interface, direction="in", contains=None, limit=2000):
    """Counts frames of UDP, fragments apart, and tells of the first ones; a storm is counted by the kernel."""
    with hosts[host]:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        made.bind((interface, 3))
    entry = {"socket": made, "frames": 0, "fragments": 0, "matching": 0, "dropped": 0, "direction": direction,
             "contains": contains and bytes.fromhex(contains), "limit": limit}
    sockets[id] = entry
    selector.register(made, selectors.EVENT_READ, lambda: receive_frames(id))


def receive_frames(id):
    entry = sockets[id]
    for _ in range(READS_AT_ONCE):
        try:
            data, address = entry["socket"].recvfrom(65535)
        except BlockingIOError:
            return
        except OSError:
            return
        outgoing = address[2] == 4
        if outgoing != (entry["direction"] == "out"):
            continue
        if address[1] == 0x0800 and len(data) >= 28:
            fragment = (data[6] & 0x3F) != 0 or data[7] != 0
            udp = data[9] == 17
        elif address[1] == 0x86DD and len(data) >= 48:
            fragment = data[6] == 44
            udp = data[6] in (17, 44)
        else:
            continue
        if not udp:
            continue
        entry["frames"] += 1
        entry["fragments"] += fragment
        if entry["contains"] is None or entry["contains"] in data:
            entry["matching"] += 1


def frames(id):
    entry = sockets[id]
    receive_frames(id)
    _, dropped = struct.unpack("@II", entry["socket"].getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    entry["dropped"] += dropped
    return {key: entry[key] for key in ("frames", "fragments", "matching", "dropped")}


def start(id, host, argv, directory, environment):
    """A process in a host: its network, its own mounts with the host's /run, and the /sys of its network."""
    ready, failed = os.pipe2(os.O_CLOEXEC)
    pipes = {name: os.pipe2(os.O_CLOEXEC) for name in ("stdout", "stderr")}
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            check(libc.setns(hosts[host].namespace, CLONE_NEWNET))
            check(libc.unshare(CLONE_NEWNS))
            mount("none", "/", None, MS_REC | MS_PRIVATE)
            mount(hosts[host].run, "/run", None, MS_BIND)
            mount("sysfs", "/sys", "sysfs")
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(pipes["stdout"][1], 1)
            os.dup2(pipes["stderr"][1], 2)
            os.chdir(directory)
            os.execvpe(argv[0], argv, environment)
        except BaseException as error:
            os.write(failed, f"{argv[0]}: {error}".encode())
            os._exit(127)
    os.close(failed)
    for name, (_, theirs) in pipes.items():
        os.close(theirs)
    trouble = os.read(ready, 4096)
    os.close(ready)
    if trouble:
        for mine, _ in pipes.values():
            os.close(mine)
        raise RuntimeError(trouble.decode())
    processes[child] = {"id": id, "open": {}}
    for name, (mine, _) in pipes.items():
        os.set_blocking(mine, False)
        processes[child]["open"][mine] = name
        selector.register(mine, selectors.EVENT_READ, lambda mine=mine: output(child, mine))
    return {"pid": child}


def output(child, descriptor):
    """Passes on what there is; true when there may be more."""
    entry = processes[child]
    try:
        data = os.read(descriptor, 65536)
    except BlockingIOError:
        return False
    if data:
        say({"event": entry["open"][descriptor], "id": entry["id"], "text": data.decode(errors="replace")})
        return True
    selector.unregister(descriptor)
    os.close(descriptor)
    del entry["open"][descriptor]
    return False


def reap():
    """A process has ended when it is reaped, whoever else still holds its output open."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == 0:
            return
        entry = processes.get(child)
        if entry is None:
            continue
        for descriptor in list(entry["open"]):
            while output(child, descriptor):
                pass
        code = os.waitstatus_to_exitcode(status)
        say({"event": "exit", "id": entry["id"], "code": code if code >= 0 else None, "signal": -code if code < 0 else None})


def kill(pid, signal):
    try:
        os.killpg(pid, signal)
    except ProcessLookupError:
        pass


def commands_in(host, lines):
    with hosts[host]:
        ip(lines)


def set_kernel(host, values):
    with hosts[host]:
        for key, value in values.items():
            with open(f"/proc/sys/net/{key}", "w") as file:
                file.write(str(value))


def world_links(lines):
    ip(lines)


requests = {"addHost": add_host, "addLink": add_link, "connect": connect, "listen": listen, "send": send, "sendRaw": send_raw,
            "close": close, "watchFrames": watch_frames, "frames": frames, "start": start, "kill": kill, "ip": commands_in,
            "wire": world_links, "sysctl": set_kernel}


def answer(line):
    message = json.loads(line)
    try:
        result = requests[message["do"]](**message["with"])
        say({"answer": message["number"], "result": result})
    except Exception as error:
        name = errno.errorcode.get(error.errno, "") if isinstance(error, OSError) and error.errno else ""
        say({"answer": message["number"], "error": f"{message['do']}: {error} {name}".strip()})


def main():
    global world
    world = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    for key in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{key}/disable_ipv6", "w") as file:
            file.write("1")  # Bridges only pass frames on.
    awake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    selector.register(awake, selectors.EVENT_READ, lambda: (os.read(awake, 4096), reap()))
    pending = b""
    os.set_blocking(0, False)

    def ask():
        nonlocal pending
        try:
            data = os.read(0, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            os._exit(0)
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            answer(line)

    selector.register(0, selectors.EVENT_READ, ask)
    say({"event": "ready"})
    while True:
        for key, _ in selector.select():
            # One that came first may have closed it.
            if selector.get_map().get(key.fd) is key:
                key.data()


main()
