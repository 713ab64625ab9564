#!/bin/bash
# `make accept-docker`, and part of `make accept`: our docker source against Debian's Docker Engine, unmodified.
#
# The engine runs in namespaces of its own (network, mounts, processes) with all it keeps in a temporary directory, and is gone
# afterwards; no service of the system is started or changed. Needs root. Environment: CROWD_BIN (our programs).
# Exit: 0 all shown, 1 something differs; what cannot run here is skipped with the reason.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BIN=${CROWD_BIN:-$ROOT/.build/release}

skip() { echo "  skip  $*"; exit 0; }

echo "The docker source under a real engine"
[ "$(id -u)" -eq 0 ] || skip "needs root: it starts an engine in namespaces of its own"
[ -x "$BIN/crowd-agent" ] || { echo "$BIN/crowd-agent is not there; run make build first" >&2; exit 1; }
for program in dockerd docker busybox unshare; do
    command -v "$program" > /dev/null || skip "$program is not installed (make accept-docker installs it)"
done
unshare --net --mount --pid --fork --kill-child --mount-proc sh -c \
    'ip link set lo up && exec timeout 900 python3 "$@"' - "$ROOT/Tests/Accept/docker.py" "$BIN" "$ROOT"
status=$?
[ $status -ne 77 ] || skip "NO ENGINE CAN BE STARTED HERE, see above: nothing of the docker source was shown under a real one"
exit $status
