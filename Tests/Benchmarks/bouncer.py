#!/usr/bin/env python3
"""Measures one firewall bouncer against a Local API of its own, inside the network namespace it is run in.

usage: bouncer.py LABEL TABLE DECISIONS SAMPLES LIMIT LOG -- COMMAND...

The Local API (127.0.0.1:18100) holds DECISIONS addresses; it holds delta requests open for those who ask. Measured: from the
start of COMMAND until its LOG says that all are in the kernel (counted with nft at the end: DECISIONS and SAMPLES), a change of
one per cent of them, and for each of SAMPLES addresses the time from its ban at the Local API to the first packet that is dropped. LIMIT: seconds
after which a step is given up. Appends to TABLE: label, decisions, wall s, CPU s, resident kB, peak kB, in the sets, delta s,
delay p50 ms, p99 ms, max ms, samples.
"""
import http.server, os, random, re, signal, socket, socketserver, subprocess, sys, threading, time

HZ = os.sysconf("SC_CLK_TCK")
DROP_PORT = 18101


def decision(number, address, duration="4h0m0s", origin="crowdsec"):
    return (f'{{"duration":"{duration}","id":{number},"origin":"{origin}","scenario":"bench/many","scope":"Ip",'
            f'"type":"ban","value":"{address}"}}')


def address(number):
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class State:
    def __init__(self, count):
        self.changed = threading.Condition()
        everything = ",".join(decision(n + 1, address(n)) for n in range(count))
        self.everything = ('{"new": [' + everything + '], "deleted": []}').encode()
        self.new, self.deleted, self.polls = [], [], True

    def change(self, new=(), deleted=()):
        with self.changed:
            self.new += new
            self.deleted += deleted
            self.changed.notify_all()

    def delta(self, hold):
        with self.changed:
            self.polls = not hold
            self.changed.wait_for(lambda: self.new or self.deleted, hold)
            body = '{"new": [' + ",".join(self.new) + '], "deleted": [' + ",".join(self.deleted) + "]}"
            self.new, self.deleted = [], []
            return body.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if not self.path.startswith("/v1/decisions/stream"):
            return self.answer(403, b'{"message":"access forbidden"}', None)
        if "startup=true" in self.path:
            return self.answer(200, self.server.state.everything, None)
        hold = self.headers.get("X-Crowd-Hold")
        self.answer(200, self.server.state.delta(float(hold) if hold else 0), hold)

    def answer(self, status, body, hold):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if hold:
            self.send_header("X-Crowd-Hold", hold)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def memory(pid, name):
    return next((int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith(name)), 0)


def told(log):
    """How many decisions the bouncer says it has put into the kernel."""
    text = open(log).read() if os.path.exists(log) else ""
    ours = re.search(r'"Decisions are in force".* decisions=(\d+)', text)
    if ours:
        return int(ours.group(1))
    return sum(int(n) for n in re.findall(r"(\d+) decisions? added", text))


def enforced():
    listed = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout
    return listed.count("expires")


class Probe:
    """Packets from one address of this host to itself."""

    def __init__(self, receiver, source):
        subprocess.run(["ip", "address", "add", source + "/32", "dev", "lo"], check=True)
        self.receiver = receiver
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.bind((source, 0))

    def is_dropped(self):
        self.sender.sendto(b"x", ("127.0.0.1", DROP_PORT))
        try:
            self.receiver.recv(16)  # the loopback delivers before sendto returns
            return False
        except BlockingIOError:
            return True


def until(condition, limit, pause):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(pause)
    return False


def delay(state, receiver, number, limit):
    """Seconds from a ban to the first dropped packet."""
    source = f"198.51.{100 + number // 250}.{number % 250 + 1}"
    probe = Probe(receiver, source)
    start = time.monotonic()
    state.change(new=[decision(10_000_000 + number, source)])
    while time.monotonic() - start < limit:
        sent = time.monotonic()
        if probe.is_dropped():
            return sent - start
        time.sleep(0.0005)
    return None


def main():
    cut = sys.argv.index("--")
    label, table, count, samples, limit, log = sys.argv[1:cut]
    count, samples, limit = int(count), int(samples), float(limit)
    state = State(count)
    server = Server(("127.0.0.1", 18100), Handler)
    server.state = state
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", DROP_PORT))
    receiver.setblocking(False)
    start = time.monotonic()
    process = subprocess.Popen(sys.argv[cut + 1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: (process.kill(), sys.exit(143)))
    try:
        done = until(lambda: told(log) >= count or process.poll() is not None, limit, 0.01)
        wall, spent = time.monotonic() - start, cpu(process.pid)
        time.sleep(6)
        took, delays = None, []
        if done:
            one = max(1, count // 100)
            coming, going = Probe(receiver, address(count + one - 1)), Probe(receiver, address(one - 1))
            begin = time.monotonic()
            state.change(new=[decision(count + n + 1, address(count + n)) for n in range(one)],
                         deleted=[decision(n + 1, address(n), "-1s") for n in range(one)])
            if until(lambda: coming.is_dropped() and not going.is_dropped(), limit, 0.001):
                took = time.monotonic() - begin
            for number in range(samples):
                # One that polls would else always be asked just after a poll.
                time.sleep(random.uniform(0, 10) if state.polls else 0.05)
                delays.append(delay(state, receiver, number, limit))
        resident, peak = memory(process.pid, "VmRSS"), memory(process.pid, "VmHWM")
        if None in delays:
            sys.exit(f"{label}: a banned address was not dropped within {limit} s")
        inside = enforced()
        delays = sorted(1000 * d for d in delays)
        def rank(share):
            return f"{delays[min(len(delays) - 1, int(share * len(delays)))]:.1f}" if delays else "-"
        row = [label, count, f"{wall:.2f}" if done else f"> {limit:.0f}", f"{spent:.2f}", resident, peak, inside,
               f"{took:.2f}" if took else "-", rank(0.5), rank(0.99), rank(1), len(delays)]
        with open(table, "a") as f:
            print(*row, sep="\t", file=f)
        print(*row, sep="\t")
    finally:
        process.kill()
        process.wait()


main()
