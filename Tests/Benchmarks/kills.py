#!/usr/bin/env python3
"""Kills crowd-lapi at random moments under load and checks what it promised.

usage: kills.py --programs DIR --database YAML [--kills N] [--seed N]
  --programs  where crowd-lapi and cscli lie
  --database  db_config as YAML in one line; DIR in it is the working directory

Nine machines post alerts and send each again until it is acknowledged, as agents do, one of them alerts that are stored
over several transactions; some decisions are deleted; four bouncers with different filters follow the stream, two of them
with held requests. In the end
  - every acknowledged alert is there, once, under the id that was given, and no alert is there twice,
  - every bouncer holds exactly the decisions that are active for its filter.
Exit: 0 when that holds. One line of JSON says what happened.
"""
import argparse, http.client, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time, uuid

# The machine that sends long alerts.
LONG = 8

PROFILES = """name: ban
filters:
 - Alert.Remediation == true && Alert.GetScope() == "Ip"
decisions:
 - type: ban
   duration: 4h
on_success: break
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=90)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Host:
    def __init__(self, programs, database):
        self.dir = tempfile.mkdtemp(prefix="crowd-kills-")
        self.programs, self.socket = programs, self.dir + "/lapi.sock"
        self.stopping, self.process, self.starts = False, None, []
        self.write("profiles.yaml", PROFILES)
        self.write("client.yaml", f"url: {self.socket}\nlogin: none\npassword: none\n")
        self.write("config.yaml", f"""
common: {{log_media: stdout, log_level: warning}}
config_paths: {{config_dir: {self.dir}, data_dir: {self.dir}}}
db_config: {database.replace("DIR", self.dir)}
prometheus: {{enabled: false}}
api:
  client: {{credentials_path: {self.dir}/client.yaml}}
  server: {{listen_socket: {self.socket}, profiles_path: {self.dir}/profiles.yaml}}
""")

    def write(self, name, text):
        with open(f"{self.dir}/{name}", "w") as file:
            file.write(text)

    def cscli(self, *words):
        subprocess.run([self.programs + "/cscli", "-c", self.dir + "/config.yaml", *words], check=True,
                       stdout=subprocess.DEVNULL)

    def start(self):
        begin = time.monotonic()
        secret = {"CS_LAPI_SECRET": "0123456789abcdef" * 4}
        log = open(self.dir + "/lapi.log", "ab")
        self.process = subprocess.Popen([self.programs + "/crowd-lapi", "-c", self.dir + "/config.yaml"],
                                        stdout=log, stderr=log, env={**os.environ, **secret})
        while time.monotonic() - begin < 60:
            try:
                connection = UnixConnection(self.socket)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    self.starts.append(time.monotonic() - begin)
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.005)
        sys.exit("crowd-lapi does not start: " + open(self.dir + "/lapi.log").read()[-2000:])

    def kill(self, number):
        self.process.send_signal(number)
        self.process.wait()


class Client:
    """One keep-alive connection; what fails is tried again by the caller."""

    def __init__(self, host):
        self.host, self.connection = host, None

    def call(self, method, path, body=None, headers={}):
        try:
            if self.connection is None:
                self.connection = UnixConnection(self.host.socket)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            time.sleep(0.01)
            return 0, b""

    def must(self, *arguments):
        while True:
            status, body = self.call(*arguments)
            if status == 200:
                return json.loads(body)


class Machine(Client):
    def __init__(self, host, name, number, seed):
        super().__init__(host)
        self.name, self.number, self.random = name, number, random.Random(seed)
        self.acknowledged, self.retries, self.token = {}, 0, None

    def headers(self):
        while self.token is None:
            status, body = self.call("POST", "/v1/watchers/login", json.dumps(
                {"machine_id": self.name, "password": "secret", "scenarios": []}), {"User-Agent": "crowdsec/kills"})
            if status == 200:
                self.token = json.loads(body)["token"]
        return {"Authorization": "Bearer " + self.token, "User-Agent": "crowdsec/kills"}

    def alert(self, count):
        address = f"10.{self.number}.{count >> 8 & 255}.{count & 255}"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {"uuid": str(uuid.UUID(int=self.random.getrandbits(128), version=4)), "capacity": 5, "leakspeed": "10s",
                "events_count": 2, "events": [{"timestamp": now, "meta": [{"key": "k", "value": "v"}]}] * 2,
                "labels": None, "message": "m", "remediation": True, "scenario": ["acme/ssh", "acme/web"][count % 2],
                "scenario_hash": "", "scenario_version": "", "simulated": False, "start_at": now, "stop_at": now,
                "source": {"ip": address, "value": address, "scope": "Ip"}}

    def long_alert(self, count):
        alert = self.alert(count)
        ban = {"duration": "4h", "origin": "kills", "scenario": alert["scenario"], "scope": "Ip", "type": "ban"}
        decisions = [{**ban, "value": f"10.{self.number}.{count & 255}.{last}"} for last in range(200)]
        return {**alert, "events": alert["events"] * 10_250, "decisions": decisions}

    def run(self):
        count = 0
        while not self.host.stopping:
            alerts = [self.alert(count + offset) for offset in range(self.random.choice([1, 1, 1, 5]))]
            if self.number == LONG:
                alerts[0] = self.long_alert(count)
            count += len(alerts)
            ids = self.post(alerts)
            for alert, identity in zip(alerts, ids):
                self.acknowledged[alert["uuid"]] = int(identity)
            if self.random.random() < 0.05:
                self.call("DELETE", "/v1/decisions?value=" + alerts[0]["source"]["value"], None, self.headers())

    def post(self, alerts):
        while True:
            status, body = self.call("POST", "/v1/alerts", json.dumps(alerts), self.headers())
            if status == 201:
                return json.loads(body)
            self.token = None if status == 401 else self.token
            self.retries += 1


class Bouncer(Client):
    def __init__(self, host, name, query, passes, hold):
        super().__init__(host)
        self.query, self.passes, self.held = query, passes, {}
        self.headers = {"X-Api-Key": name, "User-Agent": "kills/1", **({"X-Crowd-Hold": "5"} if hold else {})}
        self.started, self.pulls = False, 0

    def pull(self, headers=None):
        start = "" if self.started else "startup=true&"
        status, body = self.call("GET", f"/v1/decisions/stream?{start}{self.query}", None, headers or self.headers)
        if status != 200:
            return False
        answer = json.loads(body)
        for decision in answer["deleted"]:
            self.held.pop(decision["value"], None)
        for decision in answer["new"]:
            self.held[decision["value"]] = decision["id"]
        self.started, self.pulls = True, self.pulls + 1
        return True

    def run(self):
        while not self.host.stopping:
            self.pull()
            if "X-Crowd-Hold" not in self.headers:
                time.sleep(0.05)

    def finish(self):
        while not self.pull({**self.headers, "X-Crowd-Hold": "0"}):
            pass


def check(host, machines, bouncers):
    faults = []
    reader = machines[0]
    found = {}
    for alert in reader.must("GET", "/v1/alerts?limit=0&with_decisions=false", None, reader.headers()) or []:
        if alert["uuid"] in found:
            faults.append(f"alert {alert['uuid']} is there twice")
        found[alert["uuid"]] = alert["id"]
    for machine in machines:
        for name, identity in machine.acknowledged.items():
            if name not in found:
                faults.append(f"acknowledged alert {name} is lost")
            elif found[name] != identity:
                faults.append(f"alert {name} has id {found[name]}, acknowledged {identity}")
    active = reader.must("GET", "/v1/decisions", None, bouncers[0].headers) or []
    for bouncer in bouncers:
        wanted = {decision["value"] for decision in active if bouncer.passes(decision)}
        have = set(bouncer.held)
        if wanted != have:
            faults.append(f"bouncer {bouncer.headers['X-Api-Key']}: {len(wanted - have)} missed, {len(have - wanted)} kept")
    return faults, len(found), len(active)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--database", default="{type: sqlite, db_path: DIR/crowdsec.db}")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    host = Host(options.programs, options.database)
    machines = [Machine(host, f"m{n}", n, options.seed * 100 + n) for n in range(9)]
    bouncers = [
        Bouncer(host, "all", "", lambda d: True, False), Bouncer(host, "held", "", lambda d: True, True),
        Bouncer(host, "ssh", "scenarios_containing=ssh", lambda d: "ssh" in d["scenario"], True),
        Bouncer(host, "web", "scenarios_not_containing=ssh", lambda d: "ssh" not in d["scenario"], False)]
    faults = ["not finished"]
    try:
        for machine in machines:
            host.cscli("machines", "add", machine.name, "-p", "secret", "-f", "/dev/null", "--force")
        for bouncer in bouncers:
            host.cscli("bouncers", "add", bouncer.headers["X-Api-Key"], "-k", bouncer.headers["X-Api-Key"])
        host.start()
        threads = [threading.Thread(target=client.run, daemon=True) for client in machines + bouncers]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for _ in range(options.kills):
            time.sleep(chance.uniform(0.02, 0.4))
            host.kill(signal.SIGKILL)
            host.start()
        time.sleep(0.5)
        host.stopping = True
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - begin
        for bouncer in bouncers:
            bouncer.finish()
        faults, stored, active = check(host, machines, bouncers)
        print(json.dumps({
            "seed": options.seed, "kills": options.kills, "seconds": round(seconds, 1), "alerts": stored,
            "acknowledged": sum(len(machine.acknowledged) for machine in machines), "active": active,
            "repeated": sum(machine.retries for machine in machines), "pulls": sum(b.pulls for b in bouncers),
            "start_ms": round(1000 * sorted(host.starts)[len(host.starts) // 2]), "faults": faults[:10]}), flush=True)
    finally:
        if host.process is not None and host.process.poll() is None:
            host.kill(signal.SIGTERM)
        if faults:
            print("left for looking at: " + host.dir, file=sys.stderr)
        else:
            shutil.rmtree(host.dir)
    sys.exit(1 if faults else 0)


main()
