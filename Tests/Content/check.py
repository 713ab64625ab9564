#!/usr/bin/env python3
"""Static checks of the content in deploy/: what every engine of hub content must be able to load.

Finds: YAML that does not load, unknown keys, names outside crowd/, duplicate or undefined grok names, constructs that RE2
does not know, groups that CrowdSec's engine would miscount, data files that are not shipped, a base set that is not whole.
Exit: 0, or 1 with one line per finding.
"""
import pathlib, re, sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ETC = ROOT / "deploy/etc/crowdsec"
DATA = ROOT / "deploy/var/lib/crowdsec/data"
NODE = set("format name author description references debug profiling stage filter onsuccess pattern_syntax grok nodes "
           "statics stash whitelist data".split())
SCENARIO = set("type name description filter capacity leakspeed duration groupby distinct cancel_on overflow_filter "
               "condition blackhole cache_size scope labels reprocess data references debug version format".split())
BASE_SIZE = 88
REFERENCE = re.compile(r"%\{([0-9A-Za-z_]+)(?::([0-9A-Za-z_]+))?\}")
NOT_RE2 = re.compile(r"\(\?(?:[=!>]|<[=!])|\\[1-9]|\\[ZhRKG]|[*+?}]\+")

findings = []


def find(where, what):
    findings.append(f"{where}: {what}")


def estimated_groups(text):
    """How many groups CrowdSec's grok library believes the text between two references to have."""
    return (text.count("(") - len(re.findall(r"\(\?[imsU\-]*:", text)) - len(re.findall(r"\(?[imsU\-]+\)", text))
            - text.count(r"\("))


def true_groups(text):
    count, n, in_class = 0, 0, False
    while n < len(text):
        c = text[n]
        if c == "\\":
            n += 1
        elif in_class:
            in_class = c != "]"
        elif c == "[":
            in_class = True
            n += 2 if text[n + 1:n + 2] == "^" and text[n + 2:n + 3] == "]" else text[n + 1:n + 2] == "]"
        elif c == "(" and (text[n + 1:n + 2] != "?" or text[n + 1:n + 4] == "?P<"):
            count += 1
        n += 1
    return count


def check_pattern(where, text, known, strict=True):
    for match in REFERENCE.finditer(text):
        if match[1] not in known:
            find(where, f"%{{{match[1]}}} is not defined")
    if NOT_RE2.search(text):
        find(where, f"not RE2: {NOT_RE2.search(text)[0]}")
    for literal in REFERENCE.split(text)[::3]:
        if strict and estimated_groups(literal) != true_groups(literal):
            find(where, f"CrowdSec would count {estimated_groups(literal)} groups, not {true_groups(literal)}, in {literal!r}")


BASE = ROOT / "Sources/CrowdText/Grok/BasePatterns.swift"


def check_library():
    known = {}
    # The standard names are compiled in; then come the files, in name order.
    for path in [BASE, *sorted((ETC / "patterns").iterdir())]:
        for n, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r"^        (\w+)\s+(.+)$" if path == BASE else r"^(\w+)\s+(.+)$", line)
            if path == BASE and match and not re.fullmatch(r"[A-Z0-9_]+|CISCO\w+|Mac\w+", match[1]):
                match = None  # the Swift around them
            if not match:
                continue
            where = f"{path.relative_to(ROOT)}:{n}"
            if match[1] in known:
                find(where, f"{match[1]} is already defined in {known[match[1]]}")
            check_pattern(where, match[2], known)
            known[match[1]] = where
        if path == BASE and len(known) != BASE_SIZE:
            find(path, f"{len(known)} names, not {BASE_SIZE}")
    return known


def check_node(where, node, known):
    for key in set(node) - NODE:
        find(where, f"unknown key {key}")
    for name, text in (node.get("pattern_syntax") or {}).items():
        if not name.startswith("CROWD_"):
            find(where, f"{name}: names are global, ours start with CROWD_")
        if name in known:
            find(where, f"{name} is already defined in {known[name]}")
        check_pattern(where, text, known)
        known[name] = where
    if "grok" in node:
        check_pattern(where, node["grok"].get("pattern", f"%{{{node['grok'].get('name')}}}"), known)
    for child in node.get("nodes") or []:
        check_node(where, child, known)


def documents(path):
    try:
        return [d for d in yaml.safe_load_all(path.read_text()) if d]
    except yaml.YAMLError as error:
        find(path.relative_to(ROOT), error)
        return []


def check_items(known):
    for path in sorted(ETC.glob("parsers/*/*.yaml")) + sorted(ETC.glob("scenarios/*.yaml")):
        where = path.relative_to(ROOT)
        if not path.name.startswith("crowd-"):
            find(where, "starter items are called crowd-*.yaml, so that no hub item has the same file name")
        for item in documents(path):
            if not item.get("name", "").startswith("crowd/"):
                find(where, f"{item.get('name')} is not called crowd/…")
            if "type" in item:
                for key in set(item) - SCENARIO:
                    find(where, f"unknown key {key}")
            else:
                check_node(where, item, known)
            for data in item.get("data") or []:
                if not (DATA / data["dest_file"]).is_file():
                    find(where, f"{data['dest_file']} is not shipped")


for path in sorted(ETC.rglob("*.yaml")):
    documents(path)
check_items(check_library())
print("\n".join(findings) or "starter content: nothing to complain about")
sys.exit(1 if findings else 0)
