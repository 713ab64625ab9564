#!/usr/bin/env python3
"""The same requests to two Local APIs, ours and Debian's crowdsec 1.4.6, and where their answers differ.

  wire.py OURS THEIRS       host:port each; both have the machine wire / wire, the bouncer key KEY and the token secret SECRET
                            below, and no alerts
Compared: status, redirects, whether there is an error message, and of lists what is in them; not the words, order or times.
Every difference has to be one of EXPECTED, with its reason. Exit: 0 none other, 1 others.
"""
import base64, gzip, hashlib, hmac, json, random, re, socket, sys, time

KEY = "0123456789abcdef0123456789abcdef"
SECRET = b"s" * 64
NEWER = "1.4.6 is older: as protocol 1.7 has it"
# Pattern of the request's name: why the answers differ.
EXPECTED = {
    r"^[A-Z]+ \S*stream\S*(contains=x|ip=bad|range=bad|ip=&|ip=$|%00|[+]$|offset=x|limit=x)": "the status was sent already: " + NEWER,
    r"decisions\S*[?&](scope|limit|offset|id_gt|dedup)=": "parameters that it does not know: " + NEWER,
    r"decisions\S*(scopes|origins|scenarios_not_containing)=$": "an empty list counts as not given",
    r"ip=192.0.2.7&range=": "one of two synonyms counts",
    r"alerts\?(kind|with_decisions|include_capi|scenario)=": NEWER,
    r"token of (nobody|a number|no issue at)": "an error instead of a panic there",
    r"token that ends beyond": "no number of seconds",
    r"refresh with a token (of a ghost|of an empty name)": "who was deleted gets no other token",
    r"refresh with a token (without an end|that ends)": "a token without an end is none",
    r"startup=true&startup=false": "of a repeated parameter the first value counts",
    r"alerts\?limit=-1": "a negative number is refused by nobody, and does not end it with a panic here",
    r"DELETE \S*alerts\?limit=x": "the limit is ignored there before it is read",
    r"DELETE \S*decisions\?(scope|uuid)=": "uuid: " + NEWER + "; scope is an extension",
    r"/(%|%zz)$": "a path that cannot be unescaped is no route",
    r"//$": "one slash too many is no route",
    r"v1%2f": "paths are matched as they were sent: " + NEWER,
    r"^(register|login) ": "missing fields are 422: " + NEWER,
    r"query token": "tokens in the query: " + NEWER,
    r"alert with .*\[None\]|alerts \[None\]": "null in a list: an error instead of a panic there; labels and meta take none",
    r"alert with (source|decision) .*(address|99999)": "a decision that cannot be stored is dropped alone: " + NEWER,
    r"alert with duration .*d": "days: " + NEWER,
    r"alert with the message's key in another case": "names of members are exact",
    r"alerts? of which": "the others are stored and the wrong ones named",
    r"alert followed by": "something behind the body is an error",
    r"alert in gzip|bomb": "it inflates nothing",
    r"method FOO": "the parser knows the methods of the standard",
    r"chunk": "what is wrong with chunks is told also when the value was whole before",
    r"head: (version|folded|name|long|many|lengths|path|spaces|leading|lower|lines)": "the parser is stricter, or bounded lower, or more lenient with spaces",
    r"head: (both|transfer)": "two ways to tell the length, or one that we do not know: refused, or taken for chunks",
    r"head: prior knowledge": "HTTP/2 is not spoken",
}


def raw(place, data, wait=3.0, half=False):
    host, port = place.rsplit(":", 1)
    out = b""
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        try:
            connection.sendall(data)
            if half:
                connection.shutdown(socket.SHUT_WR)
            while len(out) < 1 << 20:
                part = connection.recv(65536)
                if not part:
                    break
                out += part
        except OSError:
            pass
    return out


def request(method, path, headers={}, body=b"", version="1.1"):
    head = {"Host": "x", "Connection": "close", **headers}
    if body and "Transfer-Encoding" not in head:
        head.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value is not None)
    return f"{method} {path} HTTP/{version}\r\n{lines}\r\n".encode("latin1") + body


def gist(answer):
    """What of an answer has to agree."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    if not lines[0].startswith("HTTP/1."):
        return "nothing"
    status = lines[0].split(" ")[1]
    if status == "100":
        return "100 then " + str(gist(body))
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    if "location" in fields:
        return status + " to " + fields["location"]
    if fields.get("transfer-encoding") == "chunked":
        body = unchunked(body)
    try:
        value = json.loads(body)
    except ValueError:
        return status if int(status) >= 400 or not body.strip() else f"{status} {body[:60]!r}"
    if isinstance(value, dict):
        if "new" in value:
            return f"{status} {sorted(map(item, value['new'] or []))}"
        if "message" in value:
            return f"{status} with a message"
        if "token" in value:
            return f"{status} with a token"
    if isinstance(value, list):
        return f"{status} {sorted(map(item, value))}"
    return f"{status} {value}"


def unchunked(body):
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        try:
            count = int(size, 16)
        except ValueError:
            break
        if count == 0:
            break
        whole, body = whole + rest[:count], rest[count + 2:]
    return whole


def item(value):
    if isinstance(value, str):
        return "id"
    if "value" in value:
        return " ".join(str(value.get(key)) for key in ("scope", "value", "type", "origin", "scenario"))
    return f"{value.get('scenario')} with {len(value.get('decisions') or [])}"


def log_in(place):
    body = json.dumps({"machine_id": "wire", "password": "wire", "scenarios": ["a"]}).encode()
    answer = raw(place, request("POST", "/v1/watchers/login", {"User-Agent": "crowdsec/v1"}, body))
    return json.loads(answer.partition(b"\r\n\r\n")[2])["token"]


def token(algorithm="HS256", **changes):
    """A token with the right signature, whatever it says."""
    now = int(time.time())
    claims = {"exp": now + 3600, "id": "wire", "orig_iat": now, **changes}
    encode = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")
    parts = [{"alg": algorithm, "typ": "JWT"}, {key: value for key, value in claims.items() if value != "ABSENT"}]
    text = b".".join(encode(json.dumps(part).encode()) for part in parts)
    method = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(algorithm, hashlib.sha256)
    return (text + b"." + encode(hmac.new(SECRET, text, method).digest())).decode()


def alert(**changes):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"timestamp": now, "meta": [{"key": "k", "value": "v"}]}
    whole = {"capacity": 5, "decisions": None, "events": [event], "events_count": 6, "labels": None, "leakspeed": "10s",
             "message": "m", "remediation": False, "scenario": "wire/a", "scenario_hash": "h", "scenario_version": "0.1",
             "simulated": False, "source": {"ip": "203.0.113.9", "scope": "Ip", "value": "203.0.113.9"},
             "start_at": now, "stop_at": now, **changes}
    return {key: value for key, value in whole.items() if value != "ABSENT"}


def decision(**changes):
    whole = {"duration": "4h", "origin": "cscli", "scenario": "x", "scope": "Ip", "type": "ban", "value": "192.0.2.7", **changes}
    return {key: value for key, value in whole.items() if value != "ABSENT"}


def cases():
    """Name, and the request as a function of the server's token."""
    bouncer = {"X-Api-Key": KEY, "User-Agent": "wire/1"}
    machine = lambda token: {"Authorization": "Bearer " + token, "User-Agent": "crowdsec/v1"}

    def as_bouncer(path, method="GET"):
        return f"{method} {path}", lambda token: request(method, path, bouncer)

    def as_machine(path, method="GET"):
        return f"{method} {path}", lambda token: request(method, path, machine(token))

    def post(name, body, headers={}):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return name, lambda token: request("POST", "/v1/alerts", {**machine(token), **headers}, body)

    paths = ["/health", "/v1/decisions", "/v1/decisions/stream", "/v1/alerts", "/v1/alerts/1", "/v1/watchers",
             "/v1/watchers/login", "/v1/heartbeat", "/v1/refresh_token", "/v1/decisions/7", "/nope", "/", "/v1", "/v1/"]
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO"]:
        for path in paths:
            yield f"method {method} {path}", lambda token, m=method, p=path: request(m, p)

    yield post("alert with decisions", [alert(decisions=[
        decision(), decision(value="192.0.2.0/24", scope="Range", type="captcha"),
        decision(value="2001:db8::7", origin="lists", scenario="Bad List"), decision(scope="username", value="bob"),
        decision(scope="Country", value="FR"), decision(scope="AS", value="64500")])])
    for query in ["", "ip=192.0.2.7", "ip=192.0.2.8", "ip=192.0.2.7&contains=false", "range=192.0.2.0/24",
                  "range=192.0.2.0/24&contains=false", "range=192.0.0.0/16&contains=False", "contains=x", "ip=bad", "ip=",
                  "range=bad", "ip=10.0.0.1&ip=192.0.2.7", "ip=192.0.2.7&range=10.0.0.0/8", "scopes=ip", "scopes=IP",
                  "scopes=ip,range", "scopes=ip,%20range", "scopes=username", "scopes=Username", "scopes=", "scopes=,",
                  "scope=ip", "value=bob", "value=Bob", "value=2001:DB8::7", "ip=2001:DB8::7", "ip=::ffff:192.0.2.7",
                  "type=captcha", "type=Captcha", "type=", "origins=lists", "origins=cscli,lists", "origins=", "origins=Lists",
                  "scenarios_containing=bad", "scenarios_containing=zzz", "scenarios_containing=",
                  "scenarios_not_containing=bad", "scenarios_not_containing=", "scenarios_containing=%25",
                  "scenarios_containing=_", "simulated=true", "simulated=false", "simulated=x", "limit=1", "limit=x", "offset=x",
                  "id_gt=1", "nonsense=1", "ip=192.0.2.7;x", "%69p=192.0.2.7", "ip=192%2E0.2.7", "ip=%zz", "ip=192.0.2.7%00",
                  "=5", "&&", "ip=192.0.2.7+", "dedup=false"]:
        yield as_bouncer("/v1/decisions?" + query)
        yield as_bouncer("/v1/decisions/stream?startup=true&" + query)
        yield as_bouncer("/v1/decisions?" + query, "HEAD")
    chance = random.Random(146)
    choices = {"scopes": ["ip", "ip,range", "country", "AS,username"], "value": ["bob", "192.0.2.7"], "type": ["ban", "captcha"],
               "origins": ["cscli", "lists,x"], "scenarios_containing": ["x", "bad,list"], "scenarios_not_containing": ["bad"],
               "range": ["192.0.2.0/24", "::/0", "192.0.2.7"], "contains": ["true", "0"], "simulated": ["true", "false"]}
    for _ in range(60):
        names = chance.sample(sorted(choices), chance.randint(2, 4))
        yield as_bouncer("/v1/decisions?" + "&".join(f"{name}={chance.choice(choices[name])}" for name in names))
    for query in ["", "scope=ip", "scope=Ip", "value=203.0.113.9", "value=x", "scenario=wire/a", "scenario=x", "ip=192.0.2.7",
                  "ip=192.0.2.8", "ip=bad", "range=192.0.2.0/24", "range=192.0.2.0/24&contains=false", "since=1h", "since=x",
                  "since=-1h", "until=0s", "until=1h", "created_before=1h", "decision_type=ban", "decision_type=x",
                  "origin=cscli", "origin=x", "include_capi=true", "include_capi=x", "has_active_decision=true",
                  "has_active_decision=false", "has_active_decision=x", "simulated=false", "simulated=true", "kind=x", "limit=1",
                  "limit=x", "limit=0", "limit=-1", "sort=ASC", "sort=x", "limit=1&sort=ASC", "limit=1&sort=asc", "with_decisions=false", "foo=1", "scope=ip&scope=x"]:
        yield as_machine("/v1/alerts?" + query)
        yield as_machine("/v1/alerts?" + query, "HEAD")
    for path in ["/v1/alerts/x", "/v1/alerts/999999", "/v1/alerts/-1", "/v1/alerts/0", "/v1/alerts/1.0",
                 "/v1/alerts/99999999999999999999", "/v1/alerts/", "/v1/alerts//", "/v1/alerts/1/", "/v1//alerts", "//v1/alerts",
                 "/V1/alerts", "/v1/alerts/1/x", "/v1/./alerts", "/v1/../v1/alerts", "/v1/alerts/%2e%2e", "/v1%2falerts",
                 "/v1/alerts/%", "/v1/alerts/%zz", "/v1/alerts;x"]:
        for method in ["GET", "HEAD", "DELETE"]:
            yield as_machine(path, method)
    for path in ["/v1/decisions/", "/v1/decisions/stream/", "/v1/decisions/stream?", "/v1/decisions/stream?startup=True",
                 "/v1/decisions/stream?startup=1", "/v1/decisions/stream?startup=true&startup=false"]:
        for method in ["GET", "HEAD", "POST", "DELETE"]:
            yield as_bouncer(path, method)
    for query in ["scope=ip", "foo=1", "value=nope", "ip=bad", "contains=x", "id=5", "uuid=x", "type=none", "scenario=none",
                  "origin=none", "scopes=none", "ip=10.9.9.9", "range=10.0.0.0/8", "limit=1"]:
        yield as_machine("/v1/decisions?" + query, "DELETE")
    for number in ["9999", "x", "-1", "0", "1.5", "99999999999999999999"]:
        yield as_machine("/v1/decisions/" + number, "DELETE")
    for query in ["foo=1", "scope=zz", "ip=bad", "since=x", "limit=x"]:
        yield as_machine("/v1/alerts?" + query, "DELETE")

    # Alerts that are wrong in one place.
    for name, body in [("empty list", []), ("null", None), ("object", {}), ("string", "x"), ("number", 3), ("[None]", [None]),
                       ("[1]", [1]), ("empty", b""), ("spaces", b"  \n "), ("cut", b'[{"a":'), ("mark", b"\xef\xbb\xbf[]"),
                       ("deep", b"[" * 100000 + b"]" * 100000)]:
        yield post("alerts " + name, body)
    text = json.dumps([alert()]).encode()
    yield post("alert followed by a word", text + b" x")
    yield post("alert followed by another list", text + b"[]")
    yield post("alert with a member twice", text.replace(b'"message": "m"', b'"message": "m", "message": "n"'))
    yield post("alert with the message's key in another case", text.replace(b'"message"', b'"Message"'))
    yield post("alert with bytes that are no UTF-8", text.replace(b'"m"', b'"\xff\xfe"'))
    yield post("alert with NUL", [alert(message="a\0b", scenario="s\0b")])
    for place in [b'"m"', b'"wire/a"', b'"h"', b'"0.1"', b'"10s"', b'"v"', b'"k"', b'"203.0.113.9"']:
        for name, odd in [("NUL", b"a\\u0000b"), ("bytes", b"a\xff\xfe"), ("half a pair", b"\\ud83d"), ("much", b"x" * 9000)]:
            yield post(f"alert with {name} for {place.decode()}", text.replace(place, b'"' + odd + b'"', 1))
    yield post("alert with half a surrogate", text.replace(b'"m"', b'"\\ud800"'))
    yield post("alert with a raw control character", text.replace(b'"m"', b'"\x01"'))
    yield post("alert with quotes for SQL and the log", [alert(message="'; DROP TABLE alerts;--\n\r\x1b[2J", scenario="a'\"`$(x)\n")])
    for field in ["capacity", "events", "events_count", "leakspeed", "message", "scenario", "scenario_hash", "scenario_version",
                  "simulated", "source", "start_at", "stop_at", "remediation", "decisions", "labels"]:
        for value in ["ABSENT", None, 1, "x", True, [], {}, 1.5, [1], [None]]:
            yield post(f"alert with {field} {value!r}", [alert(**{field: value})])
    for number in ["1e999", "1e2", "1.0", "-0", "007", str(2 ** 31), str(2 ** 63), "-5"]:
        yield post("alert with capacity " + number, text.replace(b'"capacity": 5', b'"capacity": ' + number.encode()))
    for source in [{"scope": "Ip"}, {"value": "1.2.3.4"}, {"scope": None, "value": None}, {"scope": "", "value": ""},
                   {"scope": "ip", "value": "1.2.3.4"}, {"scope": "Ip", "value": "1.2.3.4", "latitude": "x"},
                   {"scope": "Ip", "value": "1.2.3.4", "as_number": 5}, {"scope": "country", "value": "FR"}, {"scope": 1, "value": "x"}]:
        yield post(f"alert with source {source}", [alert(source=source)])
    yield post("alert with a latitude beyond all", [alert(source={"scope": "Ip", "value": "1.2.3.4", "latitude": 1e300})])
    for event in [{}, {"timestamp": "x"}, {"meta": []}, {"timestamp": "x", "meta": None}, {"timestamp": "x", "meta": []},
                  {"timestamp": "x", "meta": [{}]}, {"timestamp": "x", "meta": [{"key": 1}]}, 1, {"timestamp": 1, "meta": []},
                  {"timestamp": "x", "meta": {}}]:
        yield post(f"alert with event {event}", [alert(events=[event])])
    for field in ["duration", "origin", "scope", "type", "value", "scenario"]:
        for value in ["ABSENT", None, 1, [], {}]:
            yield post(f"alert with the decision's {field} {value!r}", [alert(decisions=[decision(**{field: value})])])
    for duration in ["4h", "1d", "2d3h", "-1h", "0", "x", "1e3s", "1.5h", "99999999h", "4", "4 h", "+4h", "1h1d", ".5s", "-.5s",
                     "5.s", "1µs", "1us"]:
        yield post(f"alert with duration {duration}", [alert(decisions=[decision(duration=duration)])])
    for value in ["1.2.3.4", "::ffff:1.2.3.4", "1.2.3.4/24", "::/0", "2001:DB8::5", "1.2.3.4/024"]:
        for scope in ["Ip", "Range"]:
            yield post(f"alert with a decision of {scope} {value}", [alert(decisions=[decision(value=value, scope=scope)])])
    for value in ["1.2.3", "01.2.3.4", "fe80::1%eth0", "1.2.3.4/33", " 1.2.3.4", "0x1.2.3.4", "[::1]", ""]:
        yield post(f"alert with decision of no address {value!r}", [alert(decisions=[decision(value=value)])])
    yield post("alert of which the second is wrong", [alert(), alert(source="ABSENT")])
    yield post("alerts of which one has a value of the wrong kind", [alert(capacity="x"), alert()])
    yield post("alerts of which one has no duration", [alert(), alert(decisions=[{**decision(), "duration": "soon"}])])
    yield post("alerts that both lack something", [alert(capacity=None), alert(message=None)])
    yield post("alerts that are all of the wrong kind", [1, "x"])
    yield post("alert in gzip", gzip.compress(text), {"Content-Encoding": "gzip"})
    yield post("bomb in gzip", gzip.compress(b"[" + b" " * 60_000_000 + b"]"), {"Content-Encoding": "gzip"})

    # Who asks.
    for value in ["", "Bearer", "Bearer ", "bearer X", "Bearer x", "Bearer a.b.c", "Basic x", "Bearer  x", "x"]:
        yield f"authorization {value!r}", lambda token, v=value: request("GET", "/v1/alerts", {"Authorization": v})
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    yield "token without algorithm", lambda token: request("GET", "/v1/alerts", {
        "Authorization": "Bearer " + ".".join([none] + token.split(".")[1:2] + [""])})
    yield "token with another signature", lambda token: request("GET", "/v1/alerts", {
        "Authorization": "Bearer " + token[:-6] + "AAAAAA"})
    now = int(time.time())
    for name, text in [
            ("of ours", token()), ("that has run out", token(exp=now - 9)), ("that begins later", token(nbf=now + 600)),
            ("that began", token(nbf=now - 9)), ("issued later", token(iat=now + 600)), ("with much else", token(aud="x", sub="y", iss="z")),
            ("without an end", token(exp="ABSENT")), ("that ends never", token(exp=None)), ("that ends with words", token(exp=str(now + 9))),
            ("that ends in fractions", token(exp=now + 600.5)), ("that ends beyond all", token(exp=1e300)),
            ("of nobody", token(id="ABSENT")), ("of a number", token(id=5)), ("of an empty name", token(id="")), ("of a ghost", token(id="ghost")),
            ("with HS384", token("HS384")), ("with HS512", token("HS512")), ("with none", token("none")), ("with RS256", token("RS256")),
            ("with a part more", token() + ".x"), ("of an hour and more ago", token(orig_iat=now - 4000, exp=now - 400)),
            ("of less than an hour ago", token(orig_iat=now - 3000, exp=now - 400)), ("of no issue at all", token(orig_iat="ABSENT"))]:
        for path in ["/v1/heartbeat", "/v1/refresh_token"]:
            use = "refresh with a " if path.endswith("token") else ""
            yield f"{use}token {name}", lambda _, p=path, t=text: request("GET", p, {"Authorization": "Bearer " + t})
    for header in ["", "Basic x", "Bearer", "Bearer x"]:
        yield f"authorization {header!r} and a cookie", lambda token, h=header: request(
            "GET", "/v1/heartbeat", {"Authorization": h, "Cookie": "jwt=" + token})
    for first, name in [(True, "right"), (False, "wrong")]:
        yield f"two authorizations, the first {name}", lambda token, f=first: request("GET", "/v1/heartbeat", {
            "Authorization": "Bearer " + (token if f else "x") + "\r\nAuthorization: Bearer " + ("x" if f else token)})
        yield f"two keys, the first {name}", lambda token, f=first: request("GET", "/v1/decisions?value=nobody", {
            "X-Api-Key": (KEY if f else "x") + "\r\nX-Api-Key: " + ("x" if f else KEY)})
    yield "token in a cookie", lambda token: request("HEAD", "/v1/alerts", {"Cookie": "a=b; jwt=" + token})
    yield "query token", lambda token: request("HEAD", "/v1/alerts?token=" + token)
    for key in ["", "x", KEY.upper(), KEY[:-1], "a" * 5000]:
        yield f"key {key[:12]!r}", lambda token, k=key: request("GET", "/v1/decisions", {"X-Api-Key": k})
        yield f"HEAD key {key[:12]!r}", lambda token, k=key: request("HEAD", "/v1/decisions/stream", {"X-Api-Key": k})
    for agent in [None, "", "a", "a/b", "a/b/c", "/"]:
        yield f"user agent {agent!r}", lambda token, a=agent: request(
            "POST", "/v1/watchers/login", {"User-Agent": a}, b'{"machine_id":"wire","password":"bad","scenarios":[]}')
    for body in [b"{}", b"", b"null", b"[]", b'{"machine_id":"wire"}', b'{"machine_id":"wire","password":"wire"}',
                 b'{"machine_id":1,"password":"wire","scenarios":[]}', b'{"machine_id":"wire","password":"wire","scenarios":"x"}',
                 b'{"machine_id":"nobody","password":"wire","scenarios":[]}', b'{"machine_id":"wire\\u0000","password":"wire","scenarios":[]}']:
        for name, path in [("login", "/v1/watchers/login"), ("register", "/v1/watchers")]:
            yield f"{name} {body.decode()}", lambda token, b=body, p=path: request("POST", p, {"User-Agent": "crowdsec/v1"}, b)

    # What is wrong with the message itself.
    health = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    for name, data in [
            ("old version", b"GET /health HTTP/1.0\r\n\r\n"), ("no host", b"GET /health HTTP/1.1\r\n\r\n"),
            ("two hosts", b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), ("version 0.9", b"GET /health\r\n\r\n"),
            ("version 2.0", b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n"), ("other expectation", health + b"Expect: cake\r\n\r\n"),
            ("name with space", health + b"X y: z\r\n\r\n"), ("name empty", health + b": z\r\n\r\n"), ("value with NUL", health + b"X: a\0b\r\n\r\n"),
            ("folded", health + b"X: a\r\n b\r\n\r\n"), ("no colon", health + b"no colon\r\n\r\n"), ("space before colon", health + b"X : y\r\n\r\n"),
            ("long", health + b"X: " + b"a" * 20000 + b"\r\n\r\n"), ("many", health + b"".join(b"X%d: y\r\n" % n for n in range(2000)) + b"\r\n"),
            ("path long", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            ("path not ASCII", "GET /é HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()), ("lines end without CR", health.replace(b"\r", b"") + b"\n"),
            ("absolute", b"GET http://x/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), ("websocket", health + b"Upgrade: websocket\r\n\r\n"),
            ("prior knowledge of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), ("lower case", b"get /health HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("leading lines", b"\r\n\r\n" + health + b"\r\n"), ("spaces", b"GET  /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")]:
        yield "head: " + name, lambda token, d=data: d
    for length in ["-1", "2x", "+2", "0x2", "99999999999999999999", "2, 3"]:
        yield f"length {length}", lambda token, n=length: request("POST", "/v1/alerts", {**machine(token), "Content-Length": n}) + b"[]"
    yield "head: lengths, the same twice", lambda token: request("POST", "/v1/alerts", machine(token))[:-2] + b"Content-Length: 2\r\n" * 2 + b"\r\n[]"
    yield "head: both length and chunks", lambda token: request("POST", "/v1/alerts", {
        **machine(token), "Transfer-Encoding": "chunked", "Content-Length": "5"}) + b"2\r\n[]\r\n0\r\n\r\n"
    yield "head: transfer encoding unknown", lambda token: request("POST", "/v1/alerts", {
        **machine(token), "Transfer-Encoding": "identity", "Content-Length": "2"}) + b"[]"
    for name, body in [("good", b"2\r\n[]\r\n0\r\n\r\n"), ("with more", b"2;x=y\r\n[]\r\n0\r\nA: b\r\n\r\n"), ("of no size", b"zz\r\n[]\r\n0\r\n\r\n"),
                       ("without end", b"2\r\n[]0\r\n\r\n"), ("too large", b"FFFFFFFFFFFFFFFFF\r\n[]\r\n0\r\n\r\n"), ("negative", b"-1\r\n[]\r\n0\r\n\r\n")]:
        yield "chunk " + name, lambda token, b=body: request("POST", "/v1/alerts", {**machine(token), "Transfer-Encoding": "chunked"}) + b
    yield "a client that waits", lambda token: request("POST", "/v1/alerts", {**machine(token), "Expect": "100-continue"}, b"[]")
    yield "a body with GET", lambda token: request("GET", "/v1/heartbeat", machine(token), b"junk")
    yield "a body with DELETE", lambda token: request("DELETE", "/v1/decisions?value=zz", machine(token), b"junk")


def main():
    places = sys.argv[1:3]
    tokens = [log_in(place) for place in places]
    same, explained, others = 0, {}, 0
    for name, build in cases():
        # Who closes first matters to nobody, but a server that says nothing holds us up.
        wait = 0.7 if name.startswith(("head", "length", "chunk", "method")) else 10
        ours, theirs = (gist(raw(place, build(token), wait)) for place, token in zip(places, tokens))
        if ours == theirs:
            same += 1
            continue
        reason = next((why for pattern, why in EXPECTED.items() if re.search(pattern, name)), None)
        if reason:
            explained[reason] = explained.get(reason, 0) + 1
        else:
            others += 1
            print(f"differs: {name}\n  ours   {ours[:300]}\n  theirs {theirs[:300]}")
    for reason, count in sorted(explained.items()):
        print(f"{count:4d}  {reason}")
    print(f"{same} the same, {sum(explained.values())} differ as they should, {others} otherwise")
    sys.exit(1 if others else 0)


main()
