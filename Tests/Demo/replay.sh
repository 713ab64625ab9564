#!/usr/bin/env bash
# `make replay LOG=… [TYPE=syslog]`: what the starter content finds in a log. Nothing is installed, sent or banned.
set -uo pipefail
log=${1:?usage: replay.sh LOG [TYPE]}
. "$(dirname "$0")/lib.sh"
trap 'rm -rf "$WORK"' EXIT
[ -x "$BIN/crowd-agent" ] || { echo "$BIN/crowd-agent is not there; run make build first" >&2; exit 1; }
[ -r "$log" ] || { echo "cannot read $log" >&2; exit 1; }
make_configuration || exit 1
"$BIN/crowd-agent" -c "$CONFIG" -dsn "file://$(realpath "$log")" -type "${2:-syslog}" -dry-run
