# What a person types. Everything that needs explaining is in README.md.

# A toolchain in PATH wins; /opt/swift is where deploy/install-packages suggests to put one.
export PATH := $(PATH):/opt/swift/usr/bin

PREFIX ?= /usr
# Swift's runtime goes into the programs: they run where no toolchain is, and take 7 MB less memory together.
SWIFT_FLAGS ?= --static-swift-stdlib
DESTDIR ?=
TYPE ?= syslog
SEED ?= 1
FUZZ_SECONDS ?= 60

# Tests that wait for programs and packets, apart from those that wait for each other's tasks.
WITH_PROGRAMS := ^(SuiteTests|CrowdFirewallTests|CrowdToolsTests)\.

.DEFAULT_GOAL := help
.PHONY: accept-docker help demo test check fuzz lint build install replay torture chaos units bench bench-bouncer bench-allocations bench-sources bench-peers packages

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

packages: # installs what deploy/packages.txt names for building and testing
	@deploy/install-packages build test

demo: packages ## build, then watch a log line become a dropped packet (root, ends by itself)
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo.sh

test: packages ## every test
	CROWD_STRICT=1 swift build --build-tests
	CROWD_STRICT=1 Tests/run --skip '$(WITH_PROGRAMS)'
	CROWD_STRICT=1 Tests/run --filter '$(WITH_PROGRAMS)'
	Tests/Content/run

fuzz: packages ## hostile bytes for parsers, patterns, expressions and items, FUZZ_SECONDS (60) each
	Tests/Fuzz/run $(FUZZ_SECONDS)

lint: packages ## formatting and shell syntax
	swift format lint --strict -r Package.swift Sources Tests
	@for script in deploy/install deploy/hub-upgrade deploy/install-packages deploy/container/entrypoint .ci/run Tests/run Tests/*/run Tests/*/*.sh; do \
	    [ ! -f "$$script" ] || bash -n "$$script" || exit 1; \
	done

check: lint test ## lint and every test

build: packages ## the four programs, release, into .build/release
	swift build -c release $(SWIFT_FLAGS) --product crowd-agent
	swift build -c release $(SWIFT_FLAGS) --product crowd-lapi
	swift build -c release $(SWIFT_FLAGS) --product crowd-bouncer
	swift build -c release $(SWIFT_FLAGS) --product cscli

install: ## programs, units, default /etc/crowdsec (kept where present); DESTDIR and PREFIX are honoured
	deploy/install "$(DESTDIR)" "$(PREFIX)"

replay: ## what the starter content finds in LOG (TYPE=syslog, nginx or apache2); nothing is sent or banned
	@[ -x .build/release/crowd-agent ] || swift build -c release $(SWIFT_FLAGS) --product crowd-agent
	@Tests/Demo/replay.sh "$(LOG)" "$(TYPE)"

torture: ## a log rotated in every way at random, a million lines at full speed, ten times
	CROWD_STRICT=1 swift build --build-tests
	@for seed in 1 2 3 4 5 6 7 8 9 10; do \
	    CROWD_TORTURE_LINES=1000000 CROWD_TORTURE_SEED=$$seed swift test --skip-build --filter TortureTests || exit 1; \
	done

units: build ## the units under a systemd of their own: packets, rights, a kill, a hang, a boot (root)
	Tests/Units/run

chaos: ## agent, Local API and bouncer killed a hundred times while an attack log is followed (root)
	CROWD_STRICT=1 swift build --build-tests
	CROWD_CHAOS_KILLS=100 CROWD_CHAOS_SEED=$(SEED) swift test --skip-build --filter ChaosTests

bench: build ## speed, memory and delay, beside the peers that are installed (root)
	Tests/Benchmarks/bench.sh
	Tests/Benchmarks/bouncer.sh
	Tests/Benchmarks/lapi.sh
	Tests/Benchmarks/allocations.sh
	Tests/Benchmarks/sources.py .build/release . $(or $(BENCH),/tmp/crowd-bench)

bench-allocations: ## heap allocations of the agent for each line of a log
	swift build -c release $(SWIFT_FLAGS) --product crowd-agent
	Tests/Benchmarks/allocations.sh

bench-sources: ## the sources' part of that: lines per CPU second of each, what keeping them safe costs, memory when idle
	swift build -c release $(SWIFT_FLAGS) --product crowd-agent
	swift build -c release $(SWIFT_FLAGS) --product cscli
	Tests/Benchmarks/sources.py .build/release . $(or $(BENCH),/tmp/crowd-bench)

bench-bouncer: ## the bouncer's part of that: large lists, ban to drop, memory (root)
	swift build -c release $(SWIFT_FLAGS) --product crowd-bouncer
	Tests/Benchmarks/bouncer.sh

bench-lapi: ## the Local API's part: alerts, look-ups, lists; SQLite, PostgreSQL and CrowdSec's
	swift build -c release $(SWIFT_FLAGS) --product crowd-lapi
	swift build -c release $(SWIFT_FLAGS) --product cscli
	Tests/Benchmarks/lapi.sh
	Tests/Benchmarks/allocations.sh

bench-kills: ## the Local API killed a hundred times under load, on each database
	swift build -c release $(SWIFT_FLAGS) --product crowd-lapi
	swift build -c release $(SWIFT_FLAGS) --product cscli
	Tests/Benchmarks/kills.py --programs .build/release
	Tests/Benchmarks/postgres.sh sh -c 'Tests/Benchmarks/kills.py --programs .build/release --database "$$DATABASE"'

bench-peers: ## installs fail2ban and Debian's crowdsec for `make bench`; no service is started (root)
	Tests/Benchmarks/install-peers.sh

accept: build ## Debian's crowdsec 1.4 and bouncers, Python clients, unmodified, against our Local API (root)
	@Tests/Benchmarks/install-peers.sh
	@Tests/Accept/accept.sh
	@Tests/Accept/docker.sh

accept-docker: ## the docker source alone, under Debian's Docker Engine in namespaces of its own (root)
	swift build -c release $(SWIFT_FLAGS) --product crowd-agent
	@Tests/Benchmarks/install-peers.sh
	@Tests/Accept/docker.sh
