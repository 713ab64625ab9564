#!/usr/bin/env python3
"""The time from a log line's write to the first dropped packet, over many attackers.

usage: drops.py EDGE_NS ATTACKER_NS EDGE_ADDRESS LOG COUNT PAUSE
Before each attacker it waits a random time up to PAUSE seconds: who polls must not be met at the same moment every time.
Prints one line: count, p50, p99, max in milliseconds, tab-separated. Ends with 1 when an attacker was not stopped in time.
"""
import pathlib, random, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Demo"))
from net import Drop  # noqa: E402


def main():
    edge, attacker, address, log, count, pause = sys.argv[1:7]
    limit = 20.0
    chance = random.Random(1)
    probe = Drop(edge, attacker, address)
    delays = []
    for n in range(int(count)):
        time.sleep(chance.uniform(0, float(pause)))
        source = f"203.0.113.{100 + n}"
        delay = probe.measure(source, log, limit)
        if delay is None:
            sys.exit(f"packets of {source} still arrive after {limit:.0f} s")
        delays.append(delay * 1e3)
    delays.sort()
    at = lambda share: delays[min(int(len(delays) * share), len(delays) - 1)]
    print(len(delays), f"{at(0.5):.0f}", f"{at(0.99):.0f}", f"{delays[-1]:.0f}", sep="\t")


main()
