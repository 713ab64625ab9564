#!/usr/bin/env python3
"""The parts of Tests/Benchmarks/lapi.sh that a load generator does not do.

  lapi.py login                   prints a token
  lapi.py fill FROM TO [wait]     bans by import, 1,000 in each request; wait: makes them all, says ready and waits for a line
  lapi.py add RATE SECONDS        single bans at that pace
  lapi.py expired DATABASE COUNT  writes ended decisions of old alerts into an SQLite file, beside a stopped server
  lapi.py count DATABASE          how many of those are left
  lapi.py stream                  the whole list once: bytes and decisions
env: LAPI (host:port), KEY (of the bouncer); the machine is bench, its password too
"""
import http.client, json, os, sqlite3, sys, time

HOST = os.environ["LAPI"]


def call(connection, method, path, body=None, headers={}):
    connection.request(method, path, body, {"User-Agent": "crowdsec/bench", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()


def login(connection):
    status, body = call(connection, "POST", "/v1/watchers/login",
                        json.dumps({"machine_id": "bench", "password": "bench", "scenarios": ["bench/ssh-bf"]}))
    if status != 200:
        sys.exit(f"login: {status} {body}")
    return json.loads(body)["token"]


def address(n):  # as in lapi.lua
    n = (n * 2654435761) % 3355443200
    return f"{(n >> 24) + 11}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def fill(connection, first, last, waits=False):
    """What the sender needs for a request's text is not to be taken for the server's when something else is timed meanwhile."""
    headers = {"Authorization": "Bearer " + login(connection)}
    texts = (alert([{"duration": "96h", "origin": "cscli-import", "scenario": "bench/list", "scope": "Ip", "type": "ban",
                     "value": address(n)} for n in range(start, min(start + 1000, last))])
             for start in range(first, last, 1000))
    if waits:
        texts = list(texts)
        print("ready", flush=True)
        sys.stdin.readline()
    for text in texts:
        post(connection, text, headers)


def alert(decisions):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps([{
        "capacity": 0, "decisions": decisions, "events": [], "events_count": 1, "labels": None, "leakspeed": "0",
        "message": "import", "scenario": "import", "scenario_hash": "", "scenario_version": "", "simulated": False,
        "source": {"scope": "bench", "value": ""}, "start_at": now, "stop_at": now}])


def post(connection, text, headers):
    status, body = call(connection, "POST", "/v1/alerts", text, headers)
    if status != 201:
        sys.exit(f"import: {status} {body[:200]}")


def add(connection, rate, seconds):
    headers = {"Authorization": "Bearer " + login(connection)}
    begin = time.monotonic()
    for n in range(int(rate * seconds)):
        time.sleep(max(0, begin + n / rate - time.monotonic()))
        post(connection, alert([{"duration": "96h", "origin": "cscli", "scenario": "bench/added", "scope": "Ip", "type": "ban",
                                 "value": f"2001:db8:{os.getpid() & 65535:x}::{n:x}"}]), headers)


def expired(path, count):
    """As a blocklist of last month leaves them: 1,000 in each alert."""
    begin, end = "2026-01-01 00:00:00+00:00", "2026-01-02 00:00:00+00:00"
    database = sqlite3.connect(path)
    with database:
        for start in range(0, count, 1000):
            alert = database.execute(
                "INSERT INTO alerts (created_at, updated_at, scenario, started_at, stopped_at, source_scope, source_value, "
                "simulated) VALUES (?, ?, 'bench/old', ?, ?, 'bench', '', 0)", (begin, begin, begin, begin)).lastrowid
            database.executemany(
                "INSERT INTO decisions (created_at, updated_at, until, scenario, type, start_ip, end_ip, ip_size, scope, value, "
                "origin, simulated, alert_decisions) VALUES (?, ?, ?, 'bench/old', 'ban', ?, ?, 4, 'Ip', ?, 'lists', 0, ?)",
                ((begin, begin, end, -2 ** 63 + n, -2 ** 63 + n, address(9_000_000 + n), alert)
                 for n in range(start, start + 1000)))
    database.close()


connection = http.client.HTTPConnection(HOST, timeout=600)
if sys.argv[1] == "expired":
    expired(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "count":
    with sqlite3.connect("file:" + sys.argv[2] + "?mode=ro", uri=True) as database:
        print(database.execute("SELECT count(*) FROM decisions WHERE scenario = 'bench/old'").fetchone()[0])
elif sys.argv[1] == "add":
    add(connection, float(sys.argv[2]), float(sys.argv[3]))
elif sys.argv[1] == "login":
    print(login(connection))
elif sys.argv[1] == "fill":
    fill(connection, int(sys.argv[2]), int(sys.argv[3]), waits="wait" in sys.argv)
else:
    status, body = call(connection, "GET", "/v1/decisions/stream?startup=true", None, {"X-Api-Key": os.environ["KEY"]})
    print(len(body), len(json.loads(body)["new"]))
