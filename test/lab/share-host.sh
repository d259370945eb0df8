#!/bin/sh
# Serves a view of this host to the machine: share-host.sh DAEMON RUN KERNEL CHECKOUT [WRITABLE ...]
#
# The view is the root file system, read-only, and below its /mnt/share the run directory, the unpacked kernel,
# the checkout (read-only) and the writable directories. It is mounted in a mount namespace of this
# process (unshare(1)), so it goes with it and there is nothing to unmount.
set -eu
daemon=$1 run=$2 kernel=$3
shift 3

mount --bind / "$run/view"
mount -o remount,bind,ro "$run/view"
mount -t tmpfs tmpfs "$run/view/mnt"
share=$run/view/mnt/share
mkdir -p "$share/run" "$share/kernel"
mount --bind "$run/shared" "$share/run"
mount --bind "$kernel" "$share/kernel"
number=0
for directory in "$@"; do
  mkdir "$share/$number"
  mount --bind "$directory" "$share/$number"
  number=$((number + 1))
done
mount -o remount,bind,ro "$share/0"

# cache=always is three times as fast as the default. What the host changes meanwhile is not seen inside.
exec "$daemon" --socket-path="$run/files.sock" -o "source=$run/view" -o cache=always -o xattr
