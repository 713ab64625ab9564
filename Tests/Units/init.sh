#!/usr/bin/env bash
# The first process of the namespaces: makes the root and becomes systemd.   usage: init.sh WORK CGROUP
set -eu
work=$1 branch=$2
# From here on the branch is the top of the hierarchy.
echo 0 > "$branch/cgroup.procs"
exec unshare -C "$(dirname "$0")/root.sh" "$work" "$branch"
