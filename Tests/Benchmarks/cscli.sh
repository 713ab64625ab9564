#!/bin/bash
# Times of cscli against a running Local API and a local hub.   usage: Tests/Benchmarks/cscli.sh [PROGRAMS] [HUB]
#
# PROGRAMS: folder of the release build (.build/release); HUB: a checkout of the hub with its index. Needs python3.
set -eu
cd "$(dirname "$0")/../.."
programs=$(realpath "${1:-.build/release}")
hub=$(realpath "${2:-${CROWD_SHARED:-../shared}/hub}")
values=${VALUES:-200000}
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT

cat >"$work/config.yaml" <<YAML
common: {log_media: stdout, log_level: error}
config_paths: {config_dir: $work, data_dir: $work/data}
crowdsec_service: {acquisition_dir: $work/acquis.d}
cscli: {__hub_url_template__: "http://127.0.0.1:PORT/%s/%s"}
db_config: {type: sqlite, db_path: $work/crowdsec.db, use_wal: true}
api:
  client: {credentials_path: $work/credentials.yaml}
  server: {listen_socket: $work/lapi.sock, profiles_path: $work/profiles.yaml}
YAML
printf "name: none\nfilters: ['false']\ndecisions: [{type: ban, duration: 4h}]\n" >"$work/profiles.yaml"
cscli() { "$programs/cscli" -c "$work/config.yaml" --error "$@"; }
seconds() { # TITLE COMMAND...
    local title=$1 start
    shift
    start=$(date +%s%N)
    "$@" >/dev/null
    printf '%-55s %8.3f s\n' "$title" "$(((($(date +%s%N) - start)) / 1000))e-6"
}

# The public layout: /BRANCH/PATH, without contents in the index. Data files are left out: they are the network's.
python3 - "$hub" "$work/port" <<'PY' &
import http.server, json, os, re, sys
hub, port = sys.argv[1:]
index = json.load(open(hub + "/.index.json"))
for items in index.values():
    for item in items.values():
        item.pop("content", None)
text = json.dumps(index).encode()

class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *_): pass
    def do_GET(self):
        path = self.path.split("?")[0].split("/", 2)[-1]
        body = text if path == ".index.json" else open(os.path.join(hub, path), "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
open(port, "w").write(str(server.server_address[1]))
server.serve_forever()
PY
pids+=($!)
until [ -s "$work/port" ]; do sleep 0.1; done
sed -i "s/PORT/$(cat "$work/port")/" "$work/config.yaml"

seconds "version" "$programs/cscli" version
ten=$(python3 - "$hub" <<'PY'
import json, sys, base64
index = json.load(open(sys.argv[1] + "/.index.json"))
def data(type, name, seen):
    item = index[type].get(name)
    if item is None or (type, name) in seen: return False
    seen.add((type, name))
    if b"source_url" in open(sys.argv[1] + "/" + item["path"], "rb").read(): return True
    return any(data(t, n, seen) for t in index for n in item.get(t, []))
good = [n for n in sorted(index["collections"]) if not data("collections", n, set())]
good.sort(key=lambda n: -sum(len(index["collections"][n].get(t, [])) for t in index))
print(*good[:10])
PY
)
update_and_install() { cscli hub update && cscli collections install $ten; }
seconds "hub update and ten collections" update_and_install
seconds "hub upgrade with nothing to do" cscli hub upgrade
cscli machines add bench -a -f "$work/credentials.yaml" -u "$work/lapi.sock" >/dev/null 2>&1
"$programs/crowd-lapi" -c "$work/config.yaml" >"$work/lapi.log" 2>&1 &
pids+=($!)
until [ -S "$work/lapi.sock" ]; do sleep 0.1; done
python3 -c "
for n in range($values): print(f'{11 + (n >> 16)}.{(n >> 8) & 255}.{n & 255}.{n % 250 + 1}')" >"$work/values"
seconds "decisions import of $values values" cscli decisions import -i "$work/values" --format values --batch 10000 -d 24h
first_line() { cscli decisions list --limit 0 -o "$1" | head -c 1 || true; }
seconds "first byte of decisions list, raw" first_line raw
seconds "first byte of decisions list, human" first_line human
