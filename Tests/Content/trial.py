#!/usr/bin/env python3
"""Runs a real CrowdSec agent over a log with the starter content of deploy/ and prints the alerts it raises.

usage: trial.py LOG TYPE [--peer] [--dump DIR] [--json]
  LOG TYPE   a log file and its acquisition label (syslog, nginx, apache2)
  --peer     also run CrowdSec's own installed items and print the sources that only one of the two blames
  --dump     keep the agent's parser and bucket dumps there
  --json     alerts as JSON lines instead of a table
env: CROWDSEC (default crowdsec), HUB (default /var/lib/crowdsec/hub), CS_ETC (default /etc/crowdsec)
Exit: 0, or 1 when the agent failed, or 77 when no crowdsec is installed.
"""
import argparse, collections, http.server, json, os, pathlib, re, shutil, subprocess, sys, tempfile, threading

from sink import Sink

ROOT = pathlib.Path(__file__).resolve().parents[2]
CROWDSEC = os.environ.get("CROWDSEC", "crowdsec")
HUB = os.environ.get("HUB", "/var/lib/crowdsec/hub")
PEER = pathlib.Path(os.environ.get("CS_ETC", "/etc/crowdsec"))

CONFIG = """
common: {{log_media: stdout, log_level: info, working_dir: {d}}}
config_paths:
  config_dir: {d}/etc/
  data_dir: {d}/data/
  simulation_path: {d}/etc/simulation.yaml
  hub_dir: {hub}/
  index_path: {hub}/.index.json
  notification_dir: {d}/etc/notifications/
  plugin_dir: {d}/plugins/
crowdsec_service: {{acquisition_path: {d}/etc/acquis.yaml, parser_routines: 1, buckets_routines: 1, output_routines: 1}}
api: {{client: {{credentials_path: {d}/etc/local_api_credentials.yaml}}}}
prometheus: {{enabled: false}}
"""


def starter_tree(etc, data):
    """The content under trial, less what an old CrowdSec (Debian 12 has 1.4.6) does not know.

    It has the base patterns compiled in and refuses them a second time, and takes only text as a label's value.
    """
    for folder in ("parsers", "scenarios", "patterns"):
        shutil.copytree(ROOT / "deploy/etc/crowdsec" / folder, etc / folder)
    (etc / "patterns/base").unlink(missing_ok=True)
    for item in (etc / "scenarios").iterdir():
        item.write_text(re.sub(r"  classification:\n(    - .*\n)+", "", item.read_text()))
    shutil.copytree(ROOT / "deploy/var/lib/crowdsec/data", data)


def peer_tree(etc, data):
    for folder in ("parsers", "scenarios", "patterns"):
        shutil.copytree(PEER / folder, etc / folder, symlinks=True)
    shutil.copytree("/usr/share/crowdsec/data", data)
    shutil.copy(data / "path_traversal.txt", data / "http_path_traversal.txt")  # the name its scenario looks for


def replay(tree, log, kind, dump=None):
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        etc = d / "etc"
        etc.mkdir()
        tree(etc, d / "data")
        (etc / "simulation.yaml").write_text("simulation: off\n")
        (etc / "acquis.yaml").write_text("")
        (d / "config.yaml").write_text(CONFIG.format(d=d, hub=HUB))
        Sink.alerts.clear()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (etc / "local_api_credentials.yaml").write_text(
            f"url: http://127.0.0.1:{server.server_port}\nlogin: trial\npassword: trial\n")
        command = [CROWDSEC, "-c", str(d / "config.yaml"), "-no-api", "-dsn", f"file://{log}", "-type", kind]
        if dump:
            command += ["-dump-data", str(dump)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, env={**os.environ, "TZ": "UTC"})
        server.shutdown()
        if run.returncode:
            sys.exit("\n".join((run.stdout + run.stderr).splitlines()[-15:]) + f"\ncrowdsec ended with {run.returncode}")
        for line in (run.stdout + run.stderr).splitlines():
            if "level=error" in line and "GeoLite2" not in line:
                print(line, file=sys.stderr)
        return list(Sink.alerts)


def facts(alert):
    return alert["scenario"], alert["source"].get("value") or alert["source"]["ip"], alert["events_count"], alert["start_at"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("type")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dump")
    options = parser.parse_args()
    if not shutil.which(CROWDSEC):
        print("skipped: no crowdsec here (make bench-peers installs it)")
        sys.exit(77)
    log = pathlib.Path(options.log).resolve()
    ours = replay(starter_tree, log, options.type, options.dump)
    if options.json:
        for alert in sorted(ours, key=facts):
            print(json.dumps(dict(zip(("scenario", "source", "events", "start"), facts(alert)))))
    else:
        table("starter content", ours)
    if options.peer:
        theirs = replay(peer_tree, log, options.type)
        table("CrowdSec's own items", theirs)
        a, b = ({facts(x)[1] for x in alerts} for alerts in (ours, theirs))
        print(f"sources: {len(a)} and {len(b)}, {len(a & b)} in common")
        for label, rest in (("only ours", a - b), ("only theirs", b - a)):
            for source in sorted(rest):
                why = sorted({facts(x)[0] for x in ours + theirs if facts(x)[1] == source})
                print(f"  {label}: {source} ({', '.join(why)})")


def table(title, alerts):
    counts = collections.Counter(alert["scenario"] for alert in alerts)
    print(f"{title}: {len(alerts)} alerts")
    for scenario, count in sorted(counts.items()):
        sources = {facts(a)[1] for a in alerts if a["scenario"] == scenario}
        print(f"  {count:6}  {scenario}  ({len(sources)} sources)")


main()
