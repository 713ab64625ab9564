#!/usr/bin/env python3
"""An auth.log of an exposed host, the same bytes for the same arguments.

usage: gen_sshd.py LINES [--seed S] [--rate LINES_PER_SECOND] [--iso] > auth.log

Half of it is the host's own noise (cron, systemd, sudo, accepted logins). The rest comes from 10,000 attackers under a
Zipf law, each with one habit: fast brute force, user enumeration, slow brute force, a single try, protocol scans. Nobody
is ever banned, so it raises far more alerts per line than a protected host would: building alerts is part of the measure.
"""
import argparse, bisect, heapq, itertools, random, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("n", type=int)
ap.add_argument("--seed", type=int, default=42)
ap.add_argument("--rate", type=float, default=2.0, help="average log lines per second of log time")
ap.add_argument("--start", type=int, default=1780272000, help="epoch of the first line (2026-06-01)")
ap.add_argument("--ips", type=int, default=10000)
ap.add_argument("--iso", action="store_true", help="RFC 3339 stamps (newer rsyslog) instead of 'Jun  1 00:00:00'")
a = ap.parse_args()
R = random.Random(a.seed)

def public_ip():
    while True:
        o = R.randrange(1, 224)
        if o in (10, 127, 169, 172, 192, 198, 203, 100):
            continue
        return "%d.%d.%d.%d" % (o, R.randrange(256), R.randrange(256), R.randrange(1, 255))

def public_ip6():
    return "2a01:%x:%x:%x::%x" % (R.randrange(1, 0xffff), R.randrange(1, 0xffff), R.randrange(1, 0xffff), R.randrange(1, 0xffff))

ATTACKERS = [public_ip6() if R.random() < 0.02 else public_ip() for _ in range(a.ips)]
CUM = list(itertools.accumulate(1.0 / (i + 1) ** 0.9 for i in range(a.ips)))
HABITS = R.choices(["fast", "enum", "slow", "oneshot", "scanner"], [4, 6, 22, 54, 14], k=a.ips)
GOOD_IPS = [public_ip() for _ in range(25)]
GOOD_USERS = ["alice", "bob", "carol", "deploy", "git", "backup"]
BAD_USERS = ("admin test user oracle postgres ubuntu guest ftp mysql pi support hadoop nagios jenkins minecraft es dev "
             "www steam teamspeak vagrant ansible docker odoo tomcat zabbix kafka spark solana validator weblogic sol "
             "ubnt operator installer gitlab elastic sysadmin student debian centos ec2-user azureuser runner").split()
BAD_USERS += ["user%d" % i for i in range(1, 400)]
SYS_USERS = ["root", "root", "root", "root", "daemon", "www-data", "postgres", "git"]
KEX = "diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"

heap, seq = [], itertools.count()

def put(t, tag, msg):
    heapq.heappush(heap, (t, next(seq), tag, msg))

def later(t, fn, *args):
    heapq.heappush(heap, (t, next(seq), None, (fn, args)))

def pid():
    return R.randrange(600, 400000)

def attempt(t, ip, user, valid):
    """one connection with a wrong password: queues its lines"""
    tag, port = "sshd[%d]" % pid(), R.randrange(1024, 65536)
    if valid:
        put(t, tag, f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}")
        who, kind = user, "authenticating"
    else:
        put(t, tag, f"Invalid user {user} from {ip} port {port}")
        if R.random() < 0.5:
            put(t, tag, "pam_unix(sshd:auth): check pass; user unknown")
            put(t, tag, f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip} ")
        who, kind = "invalid user " + user, "invalid"
    t += 1 + R.random() * 1.5
    put(t, tag, f"Failed password for {who} from {ip} port {port} ssh2")
    r = R.random()
    t += 0.1 + R.random()
    if r < 0.45:
        put(t, tag, f"Received disconnect from {ip} port {port}:11: Bye Bye [preauth]")
        put(t, tag, f"Disconnected from {kind} user {user} {ip} port {port} [preauth]")
    elif r < 0.9:
        put(t, tag, f"Connection closed by {kind} user {user} {ip} port {port} [preauth]")
    else:
        for _ in range(4):
            put(t, tag, f"Failed password for {who} from {ip} port {port} ssh2")
            t += 1.5
        put(t, tag, f"error: maximum authentication attempts exceeded for {who} from {ip} port {port} ssh2 [preauth]")
        put(t, tag, f"Disconnecting {kind} user {user} {ip} port {port}: Too many authentication failures [preauth]")

def burst(t, ip, habit, left):
    """an attacker's run: one attempt now, the next one queued"""
    if habit == "enum":
        attempt(t, ip, R.choice(BAD_USERS), False); gap = R.uniform(1, 6)
    else:
        attempt(t, ip, R.choice(SYS_USERS), True); gap = R.uniform(1, 5) if habit == "fast" else R.uniform(20, 240)
    if left > 1:
        later(t + gap, burst, ip, habit, left - 1)

def attacker(t):
    i = bisect.bisect_left(CUM, R.random() * CUM[-1])
    ip, habit = ATTACKERS[i], HABITS[i]
    if habit in ("fast", "enum"):
        burst(t, ip, habit, R.randrange(4, 13))  # a ban usually cuts these short
    elif habit == "slow":
        burst(t, ip, habit, R.randrange(4, 16))
    elif habit == "oneshot":
        attempt(t, ip, R.choice(BAD_USERS), False) if R.random() < .6 else attempt(t, ip, "root", True)
    else:
        tag, port = "sshd[%d]" % pid(), R.randrange(1024, 65536)
        r = R.randrange(6)
        if r == 0: put(t, tag, f"Did not receive identification string from {ip} port {port}")
        elif r == 1: put(t, tag, f"banner exchange: Connection from {ip} port {port}: invalid format")
        elif r == 2: put(t, tag, "error: kex_exchange_identification: Connection closed by remote host")
        elif r == 3: put(t, tag, f"Unable to negotiate with {ip} port {port}: no matching key exchange method found. Their offer: {KEX} [preauth]")
        elif r == 4: put(t, tag, f"Connection closed by {ip} port {port} [preauth]")
        else: put(t, tag, f"Connection reset by {ip} port {port} [preauth]")
        if r in (2, 4): put(t, tag, f"Connection closed by {ip} port {port}")

def noise(t):
    r = R.random()
    if r < 0.45:
        tag = "CRON[%d]" % pid()
        u = R.choice(["root", "root", "www-data", "munin"])
        put(t, tag, f"pam_unix(cron:session): session opened for user {u}(uid=0) by (uid=0)")
        put(t + R.random() * 3, tag, f"pam_unix(cron:session): session closed for user {u}")
    elif r < 0.60:
        u = R.choice(GOOD_USERS)
        put(t, "sudo", f"{u:>8} : TTY=pts/{R.randrange(4)} ; PWD=/home/{u} ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx")
        put(t, "sudo", f"pam_unix(sudo:session): session opened for user root(uid=0) by {u}(uid=1000)")
        put(t + 1, "sudo", "pam_unix(sudo:session): session closed for user root")
    elif r < 0.68:
        put(t, "systemd-logind[512]", f"Watching system buttons on /dev/input/event{R.randrange(5)} (Power Button)")
    else:
        u, ip, p, port = R.choice(GOOD_USERS), R.choice(GOOD_IPS), pid(), R.randrange(1024, 65536)
        tag = "sshd[%d]" % p
        if R.random() < 0.08:
            put(t, tag, f"Failed password for {u} from {ip} port {port} ssh2"); t += 3
        how = "publickey" if R.random() < .8 else "password"
        key = ": ED25519 SHA256:" + "".join(R.choices("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789+/", k=43)) if how == "publickey" else ""
        put(t, tag, f"Accepted {how} for {u} from {ip} port {port} ssh2{key}")
        put(t, tag, f"pam_unix(sshd:session): session opened for user {u}(uid=1000) by (uid=0)")
        s = R.randrange(1, 99999)
        put(t + .2, "systemd-logind[512]", f"New session {s} of user {u}.")
        put(t + .2, "systemd[%d]" % pid(), f"pam_unix(systemd-user:session): session opened for user {u}(uid=1000) by (uid=0)")
        e = t + R.uniform(5, 1800)
        put(e, tag, f"Received disconnect from {ip} port {port}:11: disconnected by user")
        put(e, tag, f"Disconnected from user {u} {ip} port {port}")
        put(e, tag, f"pam_unix(sshd:session): session closed for user {u}")
        put(e, "systemd-logind[512]", f"Session {s} logged out. Waiting for processes to exit.")
        put(e, "systemd-logind[512]", f"Removed session {s}.")

def spawn(t):
    """poisson arrivals of attackers and of the host's own activity"""
    attacker(t) if R.random() < 0.30 else noise(t)
    later(t + R.expovariate(a.rate / 6.9), spawn)

later(a.start, spawn)
out, done, last, stamp = [], 0, -1, ""
while done < a.n:
    t, _, tag, msg = heapq.heappop(heap)
    if tag is None:
        msg[0](t, *msg[1])
        continue
    if a.iso:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%06d+00:00" % int(t % 1 * 1e6)
    elif int(t) != last:
        last = int(t); g = time.gmtime(t)
        stamp = time.strftime("%b ", g) + "%2d" % g.tm_mday + time.strftime(" %H:%M:%S", g)
    out.append(f"{stamp} web01 {tag}: {msg}\n")
    done += 1
    if len(out) == 20000:
        sys.stdout.write("".join(out)); out.clear()
sys.stdout.write("".join(out))
