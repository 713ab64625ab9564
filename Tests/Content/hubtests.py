#!/usr/bin/env python3
"""Writes the assertion files of Tests/Fixtures/hubtests from what a real CrowdSec agent makes of their logs.

usage: hubtests.py [--check] [NAME...]   read the difference before keeping it: an assertion is a claim, not a recording
With --check nothing is written; it ends with 1 when a file would change, with 77 when no crowdsec is installed. Every hub test replays NAME.log with the starter content; parser.assert and scenario.assert are in the hub's own syntax.
"""
import pathlib, shutil, subprocess, sys, tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "Fixtures/hubtests"
# Differs from run to run or says nothing about the content.
SKIP = {"timestamp8601", "datasource_path", "datasource_type"}


def text(value):
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def lower(value):
    """Field names of events and alerts in lower case; releases of CrowdSec spell them differently."""
    if isinstance(value, dict):
        return {k.lower() if isinstance(k, str) else k: lower(v) for k, v in value.items()}
    return [lower(v) for v in value] if isinstance(value, list) else value


def comparison(place, key, value, event):
    """A date that was written without its year gets the present one, which must not be asserted."""
    if key == "timestamp" and event.get("parsed", {}).get("timestamp", "")[:1].isalpha():
        return f'{place}["{key}"][4:] == {text(value[4:])}'
    return f'{place}["{key}"] == {text(value)}'


def parser_lines(dump):
    yield f"len(results) == {len(set(dump) - {'success'}) + 1}"
    for stage in sorted(dump):
        if stage == "success":
            continue
        for node, results in sorted(dump[stage].items()):
            yield f'len(results["{stage}"]["{node}"]) == {len(results)}'
            for n, result in enumerate(results):
                place = f'results["{stage}"]["{node}"][{n}]'
                yield f"{place}.Success == {str(result['success']).lower()}"
                if not result["success"]:
                    continue
                event = lower(result["evt"])
                for field in ("parsed", "meta"):
                    for key, value in sorted((event.get(field) or {}).items()):
                        if key not in SKIP and value != "":
                            yield comparison(f"{place}.Evt.{field.capitalize()}", key, value, event)
                if stage == "s02-enrich":
                    yield f"{place}.Evt.Whitelisted == {str(event.get('whitelisted', False)).lower()}"


def scenario_lines(dump):
    def sources(item):
        return item["overflow"]["sources"]

    dump = sorted(dump, key=lambda i: i["overflow"]["alert"]["scenario"] + "@".join(sources(i)), reverse=True)
    yield f"len(results) == {len(dump)}"
    for n, item in enumerate(dump):
        alert = item["overflow"]["alert"]
        for source in sources(item):
            yield f'{text(source)} in results[{n}].Overflow.GetSources()'
            yield f'results[{n}].Overflow.Sources[{text(source)}].GetScope() == "Ip"'
        yield f"results[{n}].Overflow.Alert.GetScenario() == {text(alert['scenario'])}"
        yield f"results[{n}].Overflow.Alert.Remediation == {str(alert['remediation']).lower()}"
        yield f"results[{n}].Overflow.Alert.GetEventsCount() == {alert['eventscount']}"


def generate(test):
    """The two assertion files of one test, by name."""
    config = yaml.safe_load((test / "config.yaml").read_text())
    with tempfile.TemporaryDirectory() as dump:
        trial = [HERE / "trial.py", test / config["log_file"], config["log_type"], "--dump", dump]
        subprocess.run(trial, check=True, stdout=subprocess.DEVNULL)
        parsed = yaml.safe_load(pathlib.Path(dump, "parser-dump.yaml").read_text())
        poured = lower(yaml.safe_load(pathlib.Path(dump, "bucket-dump.yaml").read_text()) or [])
    lines = {"parser.assert": parser_lines(parsed), "scenario.assert": scenario_lines(poured)}
    return {name: "\n".join(text) + "\n" for name, text in lines.items()}


def main():
    names = [a for a in sys.argv[1:] if a != "--check"] or sorted(p.name for p in FIXTURES.iterdir() if p.is_dir())
    check = "--check" in sys.argv
    if not shutil.which("crowdsec"):
        print("skipped: no crowdsec here (make bench-peers installs it)")
        sys.exit(77)
    changed = 0
    for name in names:
        for file, content in generate(FIXTURES / name).items():
            path = FIXTURES / name / file
            if not path.exists() or path.read_text() != content:
                changed += 1
                print(f"{name}/{file} differs from what CrowdSec says")
                if not check:
                    path.write_text(content)
    print(f"{len(names)} hub tests, {changed} files {'would change' if check else 'changed'}")
    sys.exit(1 if check and changed else 0)


main()
