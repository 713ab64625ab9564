#!/usr/bin/env bash
# Second half of init.sh, in its own cgroup namespace.   usage: root.sh WORK CGROUP
set -eu
root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
case $2 in
    */systemd/*)
        mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
        mkdir "$root/sys/fs/cgroup/systemd"
        mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
        ;;
    *) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" ;;
esac
mkdir -p "$root/run/old"
cd "$root"
pivot_root . run/old
umount -l /run/old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=crowd-test.target \
    --log-target=journal
