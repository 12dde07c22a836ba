#!/bin/busybox sh
# The guest's first process. Mounts this machine's root read-only over 9p with a RAM overlay, so that Node, its
# packages and the project are at their own paths; then runs the agent, reaps orphans, and powers off when it ends.
b=/bin/busybox
. /lab/parameters

$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
for module in $moduleOrder; do $b insmod /lab/modules/$module; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 root /lower
$b mount -t tmpfs -o size=60% upper /upper
$b mkdir /upper/data /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /root
$b mount --move /proc /root/proc
$b mount --move /sys /root/sys
$b mount -t devtmpfs dev /root/dev
$b mkdir -p /root/dev/pts /root/dev/shm /root/run /root/lib/modules
$b mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
$b mount -t tmpfs shm /root/dev/shm
$b mount -t tmpfs -o mode=755 run /root/run
$b mount -t cgroup2 cgroup /root/sys/fs/cgroup
$b mount --bind "/root$modules" /root/lib/modules
$b hostname aerial-lab

# No default route and no resolver: the guest reaches this machine's loopback (10.0.2.2) and nothing else.
$b ip link set lo up
$b ip addr add 10.0.2.15/24 dev eth0
$b ip link set eth0 up
$b rm -f /root/etc/resolv.conf
: > /root/etc/resolv.conf

# Where the agent finds the project's packages.
agent=$project/.lab-agent
$b cp -r /lab/agent "/root$agent"

export PATH HOME control token udev driversLoaded
# Programs started here again and again need not strip and compile their sources each time.
export NODE_COMPILE_CACHE=/run/node-compile-cache
exec $b switch_root /root /bin/busybox sh -c '
cd "$0"
# Always in this order, so that bus numbers are the same at every boot.
{ modprobe vhci_hcd; modprobe dummy_hcd num=4; } &
"$1" "$2/guest/agent.js" </dev/null
/bin/busybox reboot -f
' "$project" "$node" "$agent"
