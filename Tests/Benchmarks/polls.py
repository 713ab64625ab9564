#!/usr/bin/env python3
"""How long bouncers wait for their deltas: many of them, each polling at its own pace, while other work goes on.

  polls.py --bouncers 500 --seconds 20 [--interval 1] [--add 20] [--import 200000 [--into HOST:PORT]] [--query Q] [--pid PID]
prints: polls, failed, p50 ms, p99 ms, largest ms, decisions told, CPU seconds of PID, and what the event loops of PID and this
        program waited for a processor, in ms for each second
--add: bans a second that somebody else adds while they poll; --import: that many at once, and polls until all are there, into
another Local API when --into names one; --query: what the bouncers' requests carry (origins=crowdsec)
env: LAPI (host:port), KEY (of the bouncer; each connection says another X-Forwarded-For), as lapi.py
"""
import argparse, glob, json, os, random, selectors, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
HOST, PORT = os.environ["LAPI"].rsplit(":", 1)


class Bouncer:
    """One keep-alive connection, one request at a time."""

    def __init__(self, number, interval, query=""):
        self.request = (f"GET /v1/decisions/stream{'?' + query if query else ''} HTTP/1.1\r\nHost: {HOST}\r\nX-Api-Key: {os.environ['KEY']}\r\n"
                        f"User-Agent: bench/1\r\nX-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\r\n\r\n").encode()
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.sent, self.tail, self.isFirst, self.count, self.status = None, b"", True, 0, b""

    def ask(self, now):
        self.sent, self.tail, self.isFirst = now, b"", True
        self.socket.sendall(self.request)

    def take(self):
        """True when the answer is whole: chunked, it ends with an empty chunk."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("closed")
        if self.isFirst:
            self.status, self.isFirst = data[:15], False
        self.count += data.count(b'"duration"')
        self.tail = (self.tail + data)[-7:]
        return self.tail.endswith(b"\r\n0\r\n\r\n")


def run(options, latencies, helpers):
    selector = selectors.DefaultSelector()
    bouncers = [Bouncer(n, options.interval, options.query) for n in range(options.bouncers)]
    for bouncer in bouncers:  # the first pull tells everything there is; that is not what is measured
        bouncer.socket.sendall(b"GET /v1/decisions/stream?ip=255.255.255.255 " + bouncer.request.split(b" ", 2)[2])
        while not bouncer.take():
            pass
        bouncer.count = 0
        selector.register(bouncer.socket, selectors.EVENT_READ, bouncer)
    begin_work(options, helpers)
    for bouncer in bouncers:  # not one after the other as they connected: that would be a burst each second
        bouncer.due = time.monotonic() + random.random() * options.interval
    before = (cpu(options.pid) if options.pid else 0, waited(options.pid, "NIO"), waited(os.getpid(), ""), time.monotonic())
    failed, end = 0, time.monotonic() + options.seconds
    waiting = sorted(bouncers, key=lambda b: b.due)
    while time.monotonic() < end or any(b.sent for b in bouncers):
        now = time.monotonic()
        if getattr(options, "import") and helpers[-1].poll() is not None:
            end = min(end, now)
        if now > end + 60:
            sys.exit("polls.py: answers are missing")
        for bouncer in waiting:
            if bouncer.due > now or now > end:
                break
            bouncer.ask(now)
        waiting = [b for b in waiting if b.sent is None]
        pause = max(0.0, min(0.05, (waiting[0].due - now) if waiting else 0.05))
        for key, _ in selector.select(pause):
            bouncer = key.data
            if bouncer.sent is None or not bouncer.take():
                continue
            latencies.append((bouncer.sent, time.monotonic() - bouncer.sent))
            failed += b" 200" not in bouncer.status
            bouncer.due, bouncer.sent = max(bouncer.due + options.interval, time.monotonic()), None
            waiting.append(bouncer)
        waiting.sort(key=lambda b: b.due)
    return failed, sum(b.count for b in bouncers), before


def begin_work(options, helpers):
    """What somebody else does meanwhile."""
    def start(*words):
        helpers.append(subprocess.Popen([os.path.join(HERE, "lapi.py"), *map(str, words)], env={**os.environ, "LAPI": options.into or os.environ["LAPI"]},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    if options.add:
        start("add", options.add, options.seconds)
    amount = getattr(options, "import")
    if amount:
        first = 2_000_000 + random.randrange(1000) * 300_000
        start("fill", first, first + amount, "wait")
        helpers[-1].stdout.readline()
        helpers[-1].stdin.write(b"\n")
        helpers[-1].stdin.flush()


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def waited(pid, name):
    """Seconds that threads of that name were ready to run and did not."""
    total = 0
    for task in glob.glob(f"/proc/{pid}/task/*") if pid else []:
        try:
            if open(f"{task}/comm").read().startswith(name):
                total += int(open(f"{task}/schedstat").read().split()[1])
        except OSError:
            pass
    return total / 1e9


def main():
    parser = argparse.ArgumentParser()
    for name, kind, default in [("bouncers", int, 500), ("seconds", float, 20), ("interval", float, 1.0), ("add", int, 0),
                                ("import", int, 0), ("pid", int, 0)]:
        parser.add_argument("--" + name, type=kind, default=default)
    for name in ("into", "query"):
        parser.add_argument("--" + name, default="")
    options = parser.parse_args()
    helpers = []
    latencies = []
    failed, told, before = run(options, latencies, helpers)
    used = cpu(options.pid) - before[0] if options.pid else 0
    span = time.monotonic() - before[3]
    waits = [(waited(options.pid, "NIO") - before[1]) / span * 1000, (waited(os.getpid(), "") - before[2]) / span * 1000]
    for helper in helpers:
        helper.wait()
    times = sorted(t for _, t in latencies)
    if not times:
        sys.exit("polls.py: no answer")
    print(len(times), failed, f"{times[len(times) // 2] * 1000:.2f}", f"{times[int(len(times) * 0.99)] * 1000:.2f}",
          f"{times[-1] * 1000:.2f}", told, f"{used:.2f}", *(f"{wait:.1f}" for wait in waits))


main()
