#!/bin/sh
# Process 1 of the lab's machine. Its standard streams are the console. Whatever fails here ends it, the
# kernel panics then, QEMU ends, and the host shows the end of the console.
#
# /mnt/share is what the host shares beside its root (share-host.sh): the run directory, the kernel's
# modules, and the directories of the list `directories`.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
share=/mnt/share
new=/tmp/root

# The host's root is read-only; what is written goes to memory.
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /tmp
modprobe --dirname "$share/kernel" overlay
mkdir -p /tmp/upper /tmp/work "$new"
mount -t overlay -o lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work overlay "$new"
mkdir -p "$new/proc" "$new/sys" "$new/dev" "$new/run" "$new/tmp" "$new/lib/modules" "$new/.old"
mount --all --fstab "$share/run/fstab" --target-prefix "$new"
mkdir -p "$new/run/lab" "$new/run/lock"
mount --bind "$share/run" "$new/run/lab"
mount --bind "$share/kernel/lib/modules" "$new/lib/modules"
number=0
while IFS= read -r directory; do
  mkdir -p "$new$directory"
  mount --bind "$share/$number" "$new$directory"
  number=$((number + 1))
done <"$share/run/directories"

# A change of root and no chroot: containers do the same again, and the kernel refuses it in a chroot.
cd "$new"
pivot_root . .old
cd /
umount --lazy /.old
rmdir /.old

ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
# Nobody answers the kernel's events here (there is no udev), so drivers of devices are loaded by name, and
# programs of device-mapper make their nodes themselves.
modprobe --all virtio_blk loop
export DM_DISABLE_UDEV=1
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller"
done | tr '\n' ' ' >/sys/fs/cgroup/cgroup.subtree_control
ip link set lo up
hostname lab
ulimit -n 65536

set +e
read -r seconds _ </proc/uptime
echo "$seconds" >/run/lab/ready
sh /run/lab/command </dev/null >>/run/lab/stdout 2>>/run/lab/stderr
echo $? >/run/lab/status
sync
# Resets the machine at once, which ends QEMU (-no-reboot).
echo b >/proc/sysrq-trigger
