#!/usr/bin/env python3
"""What it costs the agent to take lines from each source, and what it costs to lose none of them.

usage: sources.py PROGRAMS REPOSITORY OUTPUT   (a release build's folder, the checkout, a folder for logs and the table)
env: LINES_OF_LOG (default 1000000), ROWS (a pattern: only rows whose name has it), CROWD_SHARED (the hub for the idle row; left out where it is absent)

Each row is a new agent that follows one source into which a generated auth.log is fed as fast as it goes; CPU seconds are
its own, user and system, until the last line has been parsed. Alerts go to a Local API that takes them and does nothing.
Seconds differ by a tenth from run to run. So the cost of keeping account is read off samples of the stacks as well, where
`perf` is there: the share of the agent's time that is spent in its redo log and checkpoints, and in the spool.
"""
import collections, os, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

PROGRAMS, REPOSITORY, OUTPUT = (os.path.abspath(path) for path in sys.argv[1:4])
LINES = int(os.environ.get("LINES_OF_LOG", "1000000"))
SHARED = os.environ.get("CROWD_SHARED", os.path.join(REPOSITORY, "..", "shared"))
HERE = os.path.dirname(os.path.abspath(__file__))
HZ = os.sysconf("SC_CLK_TCK")
rows = []
has_perf = shutil.which("perf") is not None
KEEPING = {"spool": "AlertSpool|SpoolJournal|SpoolRecord",
           "redo log and checkpoints": "CheckpointStore|RedoLog|writeCheckpoint|4note.*LineBatch"}


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def memory(pid, key):
    return int(re.search(rf"^{key}:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M).group(1))


class Profile:
    """Samples of a process's CPU time, each with its stack: which share of it is spent under certain functions."""

    def __init__(self, pid):
        self.path, self.pid = tempfile.mktemp(prefix="crowd-perf-"), str(pid)
        self.perf = None
        if has_perf:
            command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-g", "-p", self.pid, "-o", self.path]
            self.perf = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.5)

    def shares(self, parts):
        """Percent of all samples for each part, a pattern of function names, the first that fits; nothing where perf is missing."""
        if not self.perf:
            return {}
        self.perf.send_signal(signal.SIGINT)
        self.perf.wait()
        # Without the programs that the agent starts.
        script = ["perf", "script", "-i", self.path, "--pid", self.pid, "-F", "ip,sym"]
        stacks = subprocess.run(script, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout.split("\n\n")
        os.unlink(self.path)
        stacks = [stack for stack in stacks if stack.strip()]
        found = collections.Counter(next((name for name, pattern in parts.items() if re.search(pattern, stack)), None)
                                    for stack in stacks)
        return {name: 100 * found[name] / max(len(stacks), 1) for name in parts}


class Host:
    """A configuration of its own, with a Local API that does nothing."""

    def __init__(self, acquisition, content=True):
        self.path = tempfile.mkdtemp(prefix="crowd-sources-")
        self.metrics = free_port()
        etc = f"{self.path}/etc"
        shutil.copytree(f"{REPOSITORY}/deploy/etc/crowdsec", etc)
        shutil.copytree(f"{REPOSITORY}/deploy/var/lib/crowdsec/data", f"{self.path}/data")
        shutil.rmtree(f"{etc}/acquis.d")
        os.makedirs(f"{self.path}/log")
        if not content:
            for kind in ("parsers", "scenarios", "postoverflows"):
                shutil.rmtree(f"{etc}/{kind}", ignore_errors=True)
        api = free_port()
        self.sink = subprocess.Popen(
            [sys.executable, f"{REPOSITORY}/Tests/Content/sink.py", str(api), f"{self.path}/alerts.json"],
            stdout=subprocess.DEVNULL)
        self.write("etc/local_api_credentials.yaml", f"url: http://127.0.0.1:{api}\nlogin: m\npassword: p\n")
        self.write("etc/acquis.yaml", acquisition.replace("HOST", self.path))
        self.write("etc/config.yaml.local", f"""
common: {{log_dir: {self.path}/log/}}
config_paths:
  config_dir: {etc}/
  data_dir: {self.path}/data/
  simulation_path: {etc}/simulation.yaml
  hub_dir: {etc}/hub/
  index_path: {etc}/hub/.index.json
  notification_dir: {etc}/notifications/
  plugin_dir: {self.path}/plugins/
crowdsec_service: {{acquisition_path: {etc}/acquis.yaml, acquisition_dir: {etc}/acquis.d}}
api: {{client: {{credentials_path: {etc}/local_api_credentials.yaml}}, server: {{enable: false}}}}
prometheus: {{enabled: true, listen_addr: 127.0.0.1, listen_port: {self.metrics}}}
cscli: {{hub_source: {self.path}/hub}}
""")
        self.agent = None

    def make_hub(self):
        """The reference material's hub with the data files where a source of ours has them."""
        os.makedirs(f"{self.path}/hub/data")
        for name in os.listdir(f"{SHARED}/hub"):
            os.symlink(f"{SHARED}/hub/{name}", f"{self.path}/hub/{name}")
        os.symlink(f"{SHARED}/hub-data", f"{self.path}/hub/data/hub-data.crowdsec.net")
        for name in os.listdir(f"{SHARED}/hub-data"):
            os.symlink(f"{SHARED}/hub-data/{name}", f"{self.path}/hub/data/{name}")

    def write(self, name, text, mode="w"):
        with open(f"{self.path}/{name}", mode) as file:
            file.write(text)

    def start(self):
        for name in ("a.log",):
            open(f"{self.path}/{name}", "a").close()
        self.agent = subprocess.Popen([f"{PROGRAMS}/crowd-agent", "-c", f"{self.path}/etc/config.yaml"])
        self.wait(lambda: "Starting processing data" in self.log(), 30)
        time.sleep(0.7)

    def restart(self):
        self.agent.terminate()
        self.agent.wait()
        os.unlink(f"{self.path}/log/crowdsec.log")
        self.start()

    def log(self):
        try:
            return open(f"{self.path}/log/crowdsec.log").read()
        except FileNotFoundError:
            return ""

    def wait(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or (self.agent and self.agent.poll() is not None):
                sys.exit(f"gave up waiting\n{self.log()[-2000:]}")
            time.sleep(0.05)

    def count(self, *metrics):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics").read().decode()
        return [sum(float(v) for v in re.findall(rf"^{m}(?:\{{.*\}})? (\S+)$", text, re.M)) for m in metrics]

    def end(self):
        for process in (self.agent, self.sink):
            if process:
                process.terminate()
                process.wait()
        shutil.rmtree(self.path, ignore_errors=True)


def is_wanted(label):
    return re.search(os.environ.get("ROWS", ""), label) is not None


def measure(label, acquisition, feed, lines, dropping=False, earlier=None):
    """`earlier`: what an agent before this one was fed with, so that there is a redo log to write over."""
    if not is_wanted(label):
        return
    host = Host(acquisition)
    try:
        host.start()
        seen = [0, 0]  # parsed, dropped

        def feed_all(feed, lines):
            enough = sum(seen) + lines
            feed(host)

            def is_done():
                parsed, dropped = host.count("cs_parser_hits_total", "cs_lines_dropped_total")
                seen[:] = parsed, dropped if dropping else 0
                return sum(seen) >= enough
            host.wait(is_done, 600)
            host.wait(lambda: host.count("cs_spool_alerts")[0] == 0, 60)
        if earlier:
            feed_all(*earlier)
            host.restart()
            seen = [0, 0]
        profile = Profile(host.agent.pid)
        before = cpu_seconds(host.agent.pid)
        feed_all(feed, lines)
        used = cpu_seconds(host.agent.pid) - before
        note = f"{int(seen[1])} dropped" if dropping else ""
        sent, written = host.count("cs_spool_sent_total", "cs_spool_written_total")
        if sent:
            note += "; %d alerts sent, %d of them by way of the disk" % (sent, written)
        note += "".join("; %s %.1f %%" % share for share in profile.shares(KEEPING).items())
        add(label, int(seen[0]), used, memory(host.agent.pid, "VmHWM") / 1024, note.strip("; "))
    finally:
        host.end()


def add(label, lines, used, resident, note):
    rows.append((label, lines, lines / max(used, 0.01), used, resident, note))
    print("%s: %d lines, %.2f CPU s. %s" % (label, lines, used, note), flush=True)


def replay(label, log, lines, options, note):
    if not is_wanted(label):
        return
    host = Host("filename: HOST/a.log\nlabels: {type: syslog}\n")
    try:
        start = os.times()
        subprocess.run([f"{PROGRAMS}/crowd-agent", "-c", f"{host.path}/etc/config.yaml", "-dsn", f"file://{log}", "-type",
                        "syslog"] + options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        end = os.times()
        add(label, lines, end.children_user + end.children_system - start.children_user - start.children_system, 0, note)
    finally:
        host.end()


def generated(lines):
    path = f"{OUTPUT}/sshd-{lines}.log"
    if not os.path.exists(path) or not os.path.getsize(path):
        with open(path, "w") as file:
            subprocess.run([f"{HERE}/gen_sshd.py", str(lines)], stdout=file, check=True)
    return path


def quiet(path):
    """The host's own noise alone, as many lines again: none of them leads to an alert."""
    target = path + ".quiet"
    with open(path) as source, open(target, "w") as file:
        lines = [line for line in source if "sshd" not in line]
        count = 0
        while lines and count < 2 * LINES:
            file.writelines(lines)
            count += len(lines)
    return target, count


def append_to(log):
    def feed(host):
        with open(log, "rb") as source, open(f"{host.path}/a.log", "ab") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return feed


def framed(log, most):
    with open(log, "rb") as source:
        for _, line in zip(range(most), source):
            yield b"<38>" + line.rstrip(b"\n")


def send_datagrams(log, port, most):
    def feed(host):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number, message in enumerate(framed(log, most)):
                sender.sendto(message, ("127.0.0.1", port))
                if number % 256 == 255:
                    time.sleep(0.001)
    return feed


def send_stream(log, port, most):
    def feed(host):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            pending = []
            for message in framed(log, most):
                pending.append(message + b"\n")
                if len(pending) == 1000:
                    connection.sendall(b"".join(pending))
                    pending = []
            connection.sendall(b"".join(pending))
    return feed


def export_journal(log, most, entries):
    """Entries of this moment: those from before the agent came are none of its business."""
    now = int(time.time() * 1e6)
    with open(log, errors="replace") as source, open(entries, "w") as file:
        for number, line in zip(range(most), source):
            found = re.match(r"\S+ +\S+ \S+ (\S+) ([^\[: ]+)(?:\[(\d+)\])?: (.*)", line)
            host, program, pid, text = found.groups() if found else ("h", "x", "1", line.rstrip())
            file.write(f"__REALTIME_TIMESTAMP={now + number}\n__MONOTONIC_TIMESTAMP={now + number}\n"
                       f"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE={text}\nSYSLOG_IDENTIFIER={program}\n"
                       f"_HOSTNAME={host}\n_PID={pid or 1}\nPRIORITY=6\n\n")


def write_journal(log, most):
    entries = f"{OUTPUT}/journal-{most}.export"

    def feed(host):
        export_journal(log, most, entries)
        subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", f"{host.path}/log/system.journal", entries],
                       check=True, stderr=subprocess.DEVNULL)
    return feed


def idle():
    """With the hub's linux and nginx collections, following their logs, half a minute after the start."""
    if not is_wanted("idle"):
        return
    if not os.path.isdir(f"{SHARED}/hub"):
        return print(f"skipped: the idle row needs the hub in {SHARED}")
    host = Host("filenames: [HOST/a.log, HOST/nginx.log]\nlabels: {type: syslog}\n", content=False)
    try:
        host.make_hub()
        cscli = [f"{PROGRAMS}/cscli", "-c", f"{host.path}/etc/config.yaml"]
        subprocess.run(cscli + ["hub", "update"], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(cscli + ["collections", "install", "crowdsecurity/linux", "crowdsecurity/nginx"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        open(f"{host.path}/nginx.log", "a").close()
        host.start()
        time.sleep(int(os.environ.get("IDLE_SECONDS", "30")))
        pid = host.agent.pid
        before = cpu_seconds(pid)
        time.sleep(10)
        loaded = re.search(r"Loaded .*?scenarios", host.log()).group(0)
        note = "%s; %.1f MB of its own; %.2f %% of a core" % (
            loaded, memory(pid, "RssAnon") / 1024, (cpu_seconds(pid) - before) * 10)
        rows.append(("idle, collections linux and nginx", 0, 0, 0, memory(pid, "VmRSS") / 1024, note))
        if done.returncode:
            print(done.stdout[-500:])
    finally:
        host.end()


def main():
    os.makedirs(OUTPUT, exist_ok=True)
    log = generated(LINES)
    calm, calm_lines = quiet(log)
    some = min(LINES, 300_000)
    follow = "filename: HOST/a.log\nlabels: {type: syslog}\n"
    alone, quiet_note = ["-dry-run"], "nothing kept, nothing sent"
    replay("replay of a log without attacks", calm, calm_lines, alone, quiet_note)
    measure("file, the same log followed: redo log, checkpoints", follow, append_to(calm), calm_lines)
    replay("replay of a log with attacks", log, LINES, alone, quiet_note)
    replay("replay of it, alerts sent", log, LINES, [], "no redo log, no checkpoints")
    measure("file, the same log followed, alerts sent", follow, append_to(log), LINES)
    port = free_port(socket.SOCK_DGRAM)
    syslog = "source: syslog\nlisten_port: %d\nlabels: {type: syslog}\n"
    feed = send_datagrams(log, port, some)
    measure("syslog UDP", syslog % port, feed, some, dropping=True, earlier=(feed, some))
    port = free_port()
    syslog = syslog % port + "protocol: tcp\n"
    feed = send_stream(log, port, some)
    measure("syslog TCP", syslog, feed, some, earlier=(feed, some))
    if os.access("/lib/systemd/systemd-journal-remote", os.X_OK):
        journal = "journalctl_filter: ['--directory=HOST/log']\nlabels: {type: syslog}\n---\n" + syslog
        measure("journal, without journalctl itself", journal, write_journal(log, some), some, earlier=(feed, some))
    idle()
    with open(f"{OUTPUT}/sources.md", "w") as file:
        for target in (sys.stdout, file):
            print("| source | lines | lines per CPU second | CPU s | resident MB | |\n"
                  "| --- | --: | --: | --: | --: | --- |", file=target)
            for row in rows:
                print("| %s | %d | %d | %.2f | %.1f | %s |" % row, file=target)


main()
