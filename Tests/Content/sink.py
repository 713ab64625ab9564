#!/usr/bin/env python3
"""A Local API that takes every login and every alert and does nothing about them, to see an agent alone.

usage: sink.py PORT COUNTS_FILE     keeps the number of alerts by scenario in COUNTS_FILE, as JSON
"""
import collections, http.server, json, sys


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second is not to wait 40 ms for the client to have confirmed the first.
    disable_nagle_algorithm = True
    alerts = []
    # What to do with a batch of alerts; by default they are kept.
    take = alerts.extend

    def log_message(self, *_):
        pass

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {})

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/watchers/login"):
            return self.answer(200, {"code": 200, "token": "sink", "expire": "2099-01-01T00:00:00Z"})
        if self.path.endswith("/alerts"):
            if self.headers.get("Content-Encoding") == "gzip":
                return self.answer(400, {"message": "plain bodies only"})
            alerts = json.loads(body)
            type(self).take(alerts)
            return self.answer(201, [str(n) for n in range(len(alerts))])
        self.answer(200, {})


def main():
    counts = collections.Counter()

    def count(alerts):
        counts.update(alert["scenario"] for alert in alerts)
        with open(sys.argv[2], "w") as f:
            json.dump({"total": counts.total(), **counts}, f)

    Sink.take = staticmethod(count)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()


if __name__ == "__main__":
    main()
