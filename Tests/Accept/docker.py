#!/usr/bin/env python3
"""Our docker source against a real Docker Engine that nobody else uses.

usage: docker.py PROGRAMS REPOSITORY    (started by docker.sh: as root, in namespaces of its own)

The engine's data, socket and state lie in a temporary directory; containers have no network and consist of a busybox. Each
writes numbered lines, each line makes one alert, so what arrives at the Local API says which lines were read, and how often.
Exit: 0 all shown, 1 something differs, 77 no engine can be started here.
"""
import collections, http.server, json, os, re, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.request

PROGRAMS, REPOSITORY = sys.argv[1:3]
sys.path.insert(0, f"{REPOSITORY}/Tests/Content")
sys.dont_write_bytecode = True
from sink import Sink

WORK = tempfile.mkdtemp(prefix="crowd-docker-")
HOST = f"unix://{WORK}/docker.sock"
METRICS = 6061
results = collections.Counter()
# uuids of the alerts about each address
alerts = collections.defaultdict(set)

# The next COUNT lines of BLOCK, PAUSE microseconds after every tenth; then it waits, or ends if LIVES is no.
WRITER = """#!/bin/sh
until [ -e /go/$BLOCK.go ]; do usleep 20000; done
i=$(cat /go/$BLOCK.next 2>/dev/null || echo 0)
end=$((i + COUNT))
echo $end > /go/$BLOCK.next
while [ $i -lt $end ]; do
    line="from=45.$BLOCK.$((i / 200)).$((i % 200 + 1)) pad=$PAD end"
    if [ "$TO" = errors ]; then echo "$line" >&2; else echo "$line"; fi
    i=$((i + 1))
    [ $((i % 10)) = 0 ] && usleep $PAUSE
done
[ "$LIVES" = no ] || exec sleep 1000
"""
PARSER = """
name: test/lines
filter: "evt.Line.Labels.type == 'numbered'"
onsuccess: next_stage
grok: {pattern: '^from=%{IP:address} pad=x* end$', apply_on: Line.Raw}
statics: [{meta: source_ip, expression: evt.Parsed.address}, {meta: log_type, value: numbered}]
"""
SCENARIO = """
type: trigger
name: test/each
description: each line
filter: evt.Meta.log_type == 'numbered'
labels: {remediation: true}
"""


def check(what, is_so, shown=""):
    results[bool(is_so)] += 1
    print("  %-5s %s" % ("ok" if is_so else "FAIL", what), flush=True)
    if not is_so and shown:
        print("        | " + str(shown)[-1500:].replace("\n", "\n        | "), flush=True)


def wait(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def docker(*arguments, **options):
    done = subprocess.run(["docker", "-H", HOST, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, **options)
    if done.returncode:
        print("docker", *arguments, ":", done.stdout)
    return done.stdout.strip()


class Engine:
    """dockerd with its containerd."""

    def start(self):
        log = open(f"{WORK}/dockerd.log", "ab")
        self.process = subprocess.Popen(
            ["dockerd", "--data-root", f"{WORK}/data", "--exec-root", f"{WORK}/exec", "--pidfile", f"{WORK}/docker.pid",
             "-H", HOST, "--iptables=false", "--bridge=none", "--storage-driver", "vfs"], stdout=log, stderr=log)
        return wait(lambda: self.answers() or self.process.poll() is not None, 30) and self.answers()

    def answers(self):
        return subprocess.run(["docker", "-H", HOST, "version"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def make_images(self):
        root = f"{WORK}/root"
        os.makedirs(f"{root}/bin")
        os.makedirs(f"{root}/go")
        for name in ("sh", "sleep", "usleep", "cat"):
            shutil.copy("/bin/busybox", f"{root}/bin/{name}")
        with open(f"{root}/bin/writer", "w") as file:
            file.write(WRITER)
        os.chmod(f"{root}/bin/writer", 0o755)
        subprocess.run(["tar", "-C", root, "-cf", f"{WORK}/root.tar", "."], check=True)
        for name in ("crowd/writer:1", "crowd/imaged:1"):
            docker("import", "-c", 'CMD ["/bin/writer"]', f"{WORK}/root.tar", name)
        os.makedirs(f"{WORK}/go")


def run(name, block, count, *options, image="crowd/writer:1", pause=5000, pad=0, **environment):
    """Starts a container whose lines begin once `go` says so; its id."""
    settings = {"BLOCK": block, "COUNT": count, "PAUSE": pause, "PAD": "x" * pad, **environment}
    given = [f"--env={key}={value}" for key, value in settings.items()]
    return docker("run", "-d", "--network", "none", "--name", name, "-v", f"{WORK}/go:/go", *given, *options, image)


def go(*blocks):
    for block in blocks:
        open(f"{WORK}/go/{block}.go", "w").close()


def seen(block):
    return {address: len(uuids) for address, uuids in list(alerts.items()) if address.startswith(f"45.{block}.")}


def expect(what, block, lines, seconds=30):
    """That exactly these lines were read, each once."""
    wanted = {f"45.{block}.{n // 200}.{n % 200 + 1}" for n in lines}
    wait(lambda: wanted <= set(seen(block)), seconds)
    time.sleep(0.3)
    found = seen(block)
    twice = [address for address, count in found.items() if count > 1]
    missing, strange = wanted - set(found), set(found) - wanted
    check(f"{what}: {len(wanted)} lines once", not (twice or missing or strange),
          f"missing {sorted(missing)[:5]} of {len(missing)}, twice {twice[:5]} of {len(twice)}, others {sorted(strange)[:5]}")


class Agent:
    def __init__(self, acquisition, port):
        etc = f"{WORK}/etc"
        shutil.copytree(f"{REPOSITORY}/deploy/etc/crowdsec", etc)
        for folder in ("parsers", "scenarios", "acquis.d"):
            shutil.rmtree(f"{etc}/{folder}")
        for folder in ("log", "state", "etc/parsers/s00-raw", "etc/scenarios"):
            os.makedirs(f"{WORK}/{folder}")
        self.write("parsers/s00-raw/lines.yaml", PARSER)
        self.write("scenarios/each.yaml", SCENARIO)
        self.write("local_api_credentials.yaml", f"url: http://127.0.0.1:{port}\nlogin: m\npassword: p\n")
        self.write("acquis.yaml", acquisition)
        self.write("config.yaml.local", f"""
common: {{log_dir: {WORK}/log/}}
config_paths: {{config_dir: {etc}/, data_dir: {WORK}/state/, simulation_path: {etc}/simulation.yaml, hub_dir: {etc}/hub/,
  index_path: {etc}/hub/.index.json, notification_dir: {etc}/n/, plugin_dir: {etc}/p/}}
crowdsec_service: {{acquisition_path: {etc}/acquis.yaml, acquisition_dir: {etc}/acquis.d}}
api: {{client: {{credentials_path: {etc}/local_api_credentials.yaml}}, server: {{enable: false}}}}
prometheus: {{enabled: true, listen_addr: 127.0.0.1, listen_port: {METRICS}}}
""")
        self.command = [f"{PROGRAMS}/crowd-agent", "-c", f"{etc}/config.yaml"]

    def write(self, name, text):
        with open(f"{WORK}/etc/{name}", "w") as file:
            file.write(text)

    def log(self):
        with open(f"{WORK}/log/crowdsec.log") as file:
            return file.read()

    def start(self):
        before = self.log().count("Starting processing data") if os.path.exists(f"{WORK}/log/crowdsec.log") else 0
        self.process = subprocess.Popen(self.command, env={**os.environ, "DOCKER_HOST": HOST})
        return wait(lambda: os.path.exists(f"{WORK}/log/crowdsec.log")
                    and self.log().count("Starting processing data") > before)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)

    def hits(self):
        """Lines by source and type."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics").read().decode()
        found = {}
        for labels, value in re.findall(r"^cs_dockersource_hits_total\{(.*)\} (\S+)$", text, re.M):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            found[labels["source"], labels["acquis_type"]] = int(float(value))
        return found


def take(batch):
    for alert in batch:
        alerts[alert["source"]["value"]].add(alert["uuid"])


def start_sink():
    Sink.take = staticmethod(take)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    # A killed agent breaks its connections.
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def selections(engine, by_id):
    agent = Agent(f"""
source: docker
container_name: [web, rotated, long]
labels: {{type: numbered}}
---
source: docker
container_name_regexp: ['^/app-[0-9]$']
labels: {{type: numbered}}
---
source: docker
container_id: [{by_id}]
labels: {{type: numbered}}
---
source: docker
container_image: ['crowd/imaged:1']
labels: {{type: numbered}}
---
source: docker
use_container_labels: true
---
source: docker
service_name: [fleet]
labels: {{type: numbered}}
""", start_sink())
    check("the agent starts", agent.start(), agent.log())
    return agent


def follows(agent):
    go(1)
    expect("a container that wrote before the agent came, from then on", 1, range(50, 100))
    run("app-1", 2, 100, "--tty")
    run("app-2", 3, 100, TO="errors")
    run("imaged", 5, 60, image="crowd/imaged:1")
    run("labelled", 6, 60, "--label", "crowdsec.enable=true", "--label", "crowdsec.labels.type=numbered")
    run("other", 7, 60)
    run("app-3", 8, 40, LIVES="no")
    run("long", 11, 20, pad=50_000)
    go(2, 3, 4, 5, 6, 7, 8, 11)
    expect("found by a pattern, with a terminal", 2, range(100))
    expect("found by a pattern, on standard error", 3, range(100))
    expect("found by its id", 4, range(60))
    expect("found by its image", 5, range(60))
    expect("found by its labels", 6, range(60))
    expect("one that ends at once", 8, range(40))
    expect("lines of 50 KB, which the engine cuts", 11, range(20))
    expect("one that nobody selected", 7, [])
    hits = agent.hits()
    check("sources are named as in the reference",
          {(name, "numbered") for name in ("web", "/app-1", "/app-2", "/app-3", "/byid", "/imaged", "/labelled", "long")}
          <= set(hits), hits)


def adversity(agent, engine):
    docker("restart", "-t", "0", "app-1")
    expect("a container that is restarted", 2, range(200))
    docker("rm", "-f", "web")
    run("web", 1, 50)
    expect("one that is removed and made anew", 1, range(50, 150))
    run("app-4", 9, 1500)
    go(9)
    for moment in (0.2, 0.3, 0.25):
        time.sleep(moment)
        agent.kill()
        agent.start()
    expect("the agent killed three times while a container writes", 9, range(1500), 60)
    run("rotated", 10, 3000, "--log-opt", "max-size=20k", "--log-opt", "max-file=3", pause=10000)
    go(10)
    expect("a log that the engine rotates twenty times", 10, range(3000), 60)
    engine.stop()
    time.sleep(1)
    check("the engine starts again", engine.start())
    docker("start", "web", "app-2")
    expect("the engine restarted", 1, range(50, 200), 60)
    expect("the engine restarted, another container", 3, range(200), 60)
    check("the agent stops", agent.stop() == 0)
    docker("restart", "-t", "0", "app-2")
    wait(lambda: open(f"{WORK}/go/3.next").read().strip() == "300")
    time.sleep(1)
    agent.start()
    expect("what was written while no agent ran", 3, range(300))


def swarm(agent):
    docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    docker("service", "create", "--detach", "--name", "fleet", "--replicas", "2", "--no-resolve-image",
           "--mount", f"type=bind,src={WORK}/go,dst=/go", "--env", "BLOCK=5{{.Task.Slot}}", "--env", "COUNT=80",
           "--env", "PAUSE=5000", "crowd/writer:1")
    go(51, 52)
    expect("a service's first task", 51, range(80), 60)
    expect("a service's second task", 52, range(80), 60)
    check("its source is the service", ("fleet", "numbered") in agent.hits(), agent.hits())
    agent.kill()
    agent.start()
    time.sleep(2)
    expect("nothing of it comes twice after a kill", 51, range(80))
    docker("swarm", "leave", "--force")


def replays(agent):
    def replay(dsn):
        done = subprocess.run(agent.command + ["-dsn", dsn, "-type", "numbered", "-dry-run"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={**os.environ, "DOCKER_HOST": HOST})
        return done.returncode, done.stdout
    code, text = replay("docker://app-4")
    check("a replay reads all of a log", code == 0 and "lines=1500" in text, text)
    code, text = replay("docker://app-4?since=2100-01-01T00:00:00Z")
    check("a replay since some time", code == 0 and "lines=0" in text, text)
    code, text = replay("docker://nobody")
    check("a replay of what is not there is an error", code == 1 and "nobody" in text, text)


def main():
    engine = Engine()
    if not engine.start():
        print(open(f"{WORK}/dockerd.log").read()[-1500:])
        return 77
    engine.make_images()
    print("Docker Engine", docker("version", "--format", "{{.Server.Version}}"))
    run("web", 1, 50)
    go(1)
    wait(lambda: len(docker("logs", "web").splitlines()) == 50)
    os.unlink(f"{WORK}/go/1.go")
    docker("restart", "-t", "0", "web")
    by_id = run("byid", 4, 60)
    agent = selections(engine, by_id)
    follows(agent)
    adversity(agent, engine)
    replays(agent)
    swarm(agent)
    check("the agent stops", agent.stop() == 0)
    for container in docker("ps", "-aq").split():
        docker("rm", "-f", container)
    engine.stop()
    print(f"{results[True]} shown, {results[False]} differ")
    return 1 if results[False] else 0


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(status)
