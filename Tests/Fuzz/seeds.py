#!/usr/bin/env python3
"""Writes the seeds of the fuzz entries: what they should look like when nobody is hostile.

usage: seeds.py TARGET SHARED     TARGET/{expression,grok,item,line}/N
"""

import pathlib
import sys

import yaml

target, shared = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
root = pathlib.Path(__file__).resolve().parents[2]
seen: dict[str, set[str]] = {name: set() for name in ("expression", "grok", "item", "line")}


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
        lines = log.read_text(errors="replace").split("\n")[:40]
        kind = str(facts.get("log_type") or (facts.get("labels") or {}).get("type") or "syslog")
        for at in range(0, len(lines), 4):
            add("line", kind + "\n" + "\n".join(lines[at : at + 4]))


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
