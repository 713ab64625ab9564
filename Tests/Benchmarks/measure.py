#!/usr/bin/env python3
"""Runs a command and appends what it cost to a table.

usage: measure.py LABEL LINES TABLE [--idle S] [--limit S] -- COMMAND...
Columns: label, lines, CPU seconds (user and system), wall seconds, peak resident memory in kB, how it ended. With --idle, a
process that used less than 5 % of a core for S seconds has finished its work (or hangs): it is killed, and wall time ends
at its last activity.
"""
import os, signal, subprocess, sys, time

HZ = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def run(command, idle, limit):
    start = active = time.monotonic()
    seen, ended = (start, 0.0), None
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: (process.kill(), sys.exit(143)))
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        now = time.monotonic()
        if pid:
            if ended is None:
                ended, active = f"exit {os.waitstatus_to_exitcode(status)}", now
            return usage, active - start, ended
        if (idle or limit) and ended is None and now - seen[0] >= 1:
            used = cpu_seconds(process.pid)
            if used - seen[1] >= 0.05:
                active = now
            seen = (now, used)
            if idle and now - active > idle:
                ended = "done, killed"
            elif limit and now - start > limit:
                ended, active = "time limit, killed", now
            if ended:
                process.send_signal(signal.SIGKILL)
        time.sleep(0.02)


def main():
    cut = sys.argv.index("--")
    label, lines, table = sys.argv[1:4]
    options = dict(zip(sys.argv[4:cut:2], map(float, sys.argv[5:cut:2])))
    usage, wall, ended = run(sys.argv[cut + 1:], options.get("--idle", 0), options.get("--limit", 0))
    cpu = usage.ru_utime + usage.ru_stime
    with open(table, "a") as f:
        print(label, lines, f"{cpu:.2f}", f"{wall:.2f}", usage.ru_maxrss, ended, sep="\t", file=f)
    print(f"{label}: {cpu:.2f} s CPU, {wall:.2f} s wall, {usage.ru_maxrss / 1024:.1f} MB, {ended}", file=sys.stderr)


main()
