#!/usr/bin/env python3
"""Writes the seeds of the fuzz entries: what they should look like when nobody is hostile.

usage: seeds.py TARGET SHARED     TARGET/{expression,grok,item,line}/N
"""

import pathlib
import sys

import yaml

target, shared = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
root = pathlib.Path(__file__).resolve().parents[2]
seen: dict[str, set[str]] = {name: set() for name in ("expression", "grok", "item", "line", "wire")}


def add(entry: str, text: str) -> None:
    if text and len(text) < 4096:
        seen[entry].add(text)


def walk(node: object) -> None:
    """Expressions and patterns of an item, wherever they stand."""
    if isinstance(node, list):
        for item in node:
            walk(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("filter", "expression", "groupby", "distinct", "cancel_on", "condition", "overflow_filter"):
            add("expression", str(value))
        elif key == "pattern":
            add("grok", f"{value}\nJan  1 00:00:01 host sshd[1]: some text 192.0.2.1 é\n")
        else:
            walk(value)


def items(folder: pathlib.Path) -> None:
    for path in sorted(folder.rglob("*.yaml")):
        if ".tests" in path.parts:
            continue
        text = path.read_text(errors="replace")
        for part in text.split("\n---"):
            add("item", part)
        try:
            for document in yaml.safe_load_all(text):
                walk(document)
        except yaml.YAMLError:
            pass


def logs(tests: pathlib.Path) -> None:
    for config in sorted(tests.glob("*/config.yaml")):
        facts = yaml.safe_load(config.read_text())
        log = config.parent / facts.get("log_file", "")
        if not log.is_file():
            continue
        for line in log.read_text(errors="replace").split("\n")[:3]:
            add("wire", line)
        lines = log.read_text(errors="replace").split("\n")[:40]
        kind = str(facts.get("log_type") or (facts.get("labels") or {}).get("type") or "syslog")
        for at in range(0, len(lines), 4):
            add("line", kind + "\n" + "\n".join(lines[at : at + 4]))


ALERT = """[{"capacity":5,"decisions":[{"duration":"4h0m0s","origin":"cscli","scenario":"x","scope":"Ip","type":"ban",
"value":"192.0.2.1","until":"2026-11-21T08:17:30Z"}],"events":[{"meta":[{"key":"a","value":"b"}],"timestamp":"t"}],
"events_count":1,"leakspeed":"10s","message":"m","scenario":"s","scenario_hash":"","scenario_version":"",
"simulated":false,"source":{"as_name":"","ip":"192.0.2.1","latitude":1.5,"scope":"Ip","value":"192.0.2.1"},
"start_at":"2026-11-21T08:17:30Z","stop_at":"2026-11-21T08:17:30Z","labels":["l"],"meta":null,"uuid":"u"}]"""
for text in (ALERT, "4h30m", "1d2h", "2006-01-02T15:04:05Z07:00\n2026-01-02T15:04:05+01:00", "192.0.2.0/24", "::ffff:192.0.2.1",
             "<a b='c'><!-- d --><e>f</e><![CDATA[g]]></a>", "a=1 b=\"c d\" e=", "http://x/?a=%41&b=+", "%5.2f %+v %q"):
    add("wire", text)
items(root / "deploy/etc/crowdsec")
logs(root / "Tests/Fixtures/hubtests")
if (shared / "hub").is_dir():
    items(shared / "hub")
    logs(shared / "hub/.tests")
for entry, texts in seen.items():
    folder = target / entry
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(sorted(texts)):
        (folder / str(number)).write_text(text)
    print(f"seeds: {entry} {len(texts)}")
