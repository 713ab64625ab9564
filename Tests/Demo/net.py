#!/usr/bin/env python3
"""The network side of the demo and of the benchmarks: listeners, probes, and the time from a log line to a dropped packet.

usage: net.py await-ready SOCKET SECONDS         wait for READY=1 of a service that got SOCKET as NOTIFY_SOCKET
       net.py listen ADDRESS PORT                accept connections and greet like an SSH server
       net.py connect ADDRESS PORT SECONDS       say how long a connection took, or end with 1
       net.py drop EDGE_NS ATTACKER_NS EDGE_ADDRESS ATTACKER LOG SECONDS
                                                 append a brute force of ATTACKER to LOG, print milliseconds until its
                                                 packets no longer arrive, or end with 1
"""
import ctypes, os, socket, sys, time

CLONE_NEWNET = 0x40000000
FAILURES = 8  # failed logins in a burst; the sixth overflows a bucket of five
GAP = 0.0005  # seconds between probe packets, and so the resolution of the measured time


def await_ready(path, seconds):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            s.settimeout(left)
            try:
                if "READY=1" in s.recv(4096).decode(errors="replace").splitlines():
                    return True
            except TimeoutError:
                break
    return False


def listen(address, port):
    with socket.create_server((address, port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")


def connect(address, port, seconds):
    start = time.monotonic()
    with socket.create_connection((address, port), timeout=seconds) as s:
        banner = s.recv(64).decode().strip()
    return f"{(time.monotonic() - start) * 1e3:.1f} ms, greeted with {banner}"


def socket_in(namespace):
    """A UDP socket that lives in the named network namespace; this process stays where it is."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as here, open(f"/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")
        try:
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        finally:
            libc.setns(here.fileno(), CLONE_NEWNET)


def brute_force(attacker, count=FAILURES):
    """What sshd writes while somebody guesses root's password."""
    stamp = time.strftime("%b ", time.gmtime()) + "%2d" % time.gmtime().tm_mday + time.strftime(" %H:%M:%S", time.gmtime())
    pid = os.getpid() % 90000 + 1000
    return "".join(
        f"{stamp} edge01 sshd[{pid + n}]: Failed password for root from {attacker} port {40000 + n} ssh2\n"
        for n in range(count))


class Drop:
    """Sends numbered packets from the attacker to the edge and notes which of them arrive."""

    def __init__(self, edge_namespace, attacker_namespace, edge_address):
        self.receiver = socket_in(edge_namespace)
        self.receiver.bind((edge_address, 0))
        self.receiver.setblocking(False)
        self.target = self.receiver.getsockname()
        self.attacker_namespace = attacker_namespace

    def measure(self, attacker, log, seconds):
        """Seconds from the write of the burst to the first packet that did not arrive, or None."""
        with socket_in(self.attacker_namespace) as sender:
            sender.bind((attacker, 0))
            sent, last = [], -1
            for _ in range(40):  # the way is open before the burst
                last = self.probe(sender, sent, last)
            if last < 0:
                raise OSError("packets of the attacker do not arrive even before the attack")
            with open(log, "ab", buffering=0) as f:
                written = time.monotonic()
                f.write(brute_force(attacker).encode())
            silence = 0.25
            while (now := time.monotonic()) - written < seconds:
                last = self.probe(sender, sent, last)
                if now - sent[last] > silence:
                    return max(sent[last + 1] - written, 0)
            return None

    def probe(self, sender, sent, last):
        number = len(sent)
        sent.append(time.monotonic())
        try:
            sender.sendto(number.to_bytes(8, "big"), self.target)
        except OSError:
            pass  # a full queue is a lost packet like any other; the silence after it is what counts
        time.sleep(GAP)
        try:
            while True:
                data, source = self.receiver.recvfrom(64)
                if source == sender.getsockname():
                    last = max(last, int.from_bytes(data, "big"))
        except BlockingIOError:
            return last


def main():
    what, *rest = sys.argv[1:] or ["help"]
    try:
        if what == "await-ready":
            sys.exit(0 if await_ready(rest[0], float(rest[1])) else 1)
        elif what == "listen":
            listen(rest[0], int(rest[1]))
        elif what == "connect":
            print(connect(rest[0], int(rest[1]), float(rest[2])))
        elif what == "drop":
            delay = Drop(rest[0], rest[1], rest[2]).measure(rest[3], rest[4], float(rest[5]))
            if delay is None:
                sys.exit(f"packets of {rest[3]} still arrive after {rest[5]} s")
            print(f"{delay * 1e3:.0f}")
        else:
            sys.exit(__doc__)
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
