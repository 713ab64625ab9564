# A systemd of our own in namespaces, over a copy-on-write view of this machine's files.
#
# machine_cannot  why not, if so          machine_make, machine_remove
# machine_place   programs, units and default configuration into it
# machine_boot    until basic.target is reached, and what crowd-test.target wants      machine_halt
# inside COMMAND  runs in it
SPACE=crowd-units-$$
WORK=
INIT=

machine_cannot() {
    [ "$(id -u)" -eq 0 ] || { echo "needs root: it makes namespaces"; return; }
    [ -x /lib/systemd/systemd ] || { echo "systemd is not installed"; return; }
    for program in crowd-lapi crowd-bouncer crowd-agent cscli; do
        [ -x "$BIN/$program" ] || { echo "$BIN/$program is not there: run make build first"; return; }
    done
    local probe
    probe=$(mktemp -d "${TMPDIR:-/tmp}/crowd-units.XXXXXX")
    mkdir "$probe/upper" "$probe/work" "$probe/root"
    unshare -m -p -n -u -i -C -f mount -t overlay overlay \
        -o "lowerdir=/,upperdir=$probe/upper,workdir=$probe/work" "$probe/root" 2> "$probe/error" \
        || echo "namespaces and overlays are not allowed here: $(head -n 1 "$probe/error")"
    rm -rf "$probe"
}

# The branches of the cgroup hierarchies that systemd gets as its own.
branches() {
    if [ -d /sys/fs/cgroup/systemd ]; then
        echo "/sys/fs/cgroup/systemd/$SPACE"
    else
        echo "/sys/fs/cgroup/$SPACE"
    fi
}

machine_make() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/crowd-units.XXXXXX")
    mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
    for branch in $(branches); do mkdir "$branch"; done
}

machine_remove() {
    machine_halt
    for branch in $(branches); do
        find "$branch" -depth -type d -exec rmdir {} + 2> /dev/null
    done
    [ -z "$WORK" ] || rm -rf "$WORK"
}

machine_place() {
    local upper=$WORK/upper
    # An /etc/crowdsec of this machine's is not looked at: the directory replaces it.
    mkdir -p "$upper/etc/crowdsec" "$upper/var/lib/crowdsec" "$upper/var/lib/crowd-bouncer" "$upper/var/log/journal"
    chmod 700 "$upper/var/lib/crowd-bouncer"
    for hidden in "$upper/etc/crowdsec" "$upper/var/lib/crowdsec" "$upper/var/lib/crowd-bouncer" "$upper/var/log/journal"; do
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.overlay.opaque", b"y")' "$hidden"
    done
    install -D -m 755 Tests/Units/packet.py "$upper/usr/local/bin/crowd-packet"
    # A directory of this name would hide the link to /usr/lib.
    mkdir -p "$upper/usr/lib"
    [ ! -L /lib ] || ln -s usr/lib "$upper/lib"
    CROWD_BIN=$BIN deploy/install "$upper" /usr > /dev/null
    local drop=$upper/etc/systemd/system/crowd-bouncer.service.d
    mkdir -p "$drop"
    # Nobody waits for two minutes here.
    printf '[Service]\nWatchdogSec=4\nRestartSec=2\n' > "$drop/test.conf"
    # Only ours: no logins, devices, clocks or data bases of this machine.
    printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' \
        > "$upper/etc/systemd/system/crowd-test.target"
    for unit in systemd-udevd systemd-udev-trigger systemd-timesyncd systemd-resolved systemd-networkd systemd-firstboot \
        systemd-update-utmp apparmor dbus keyboard-setup console-setup systemd-sysctl systemd-modules-load; do
        ln -sf /dev/null "$upper/etc/systemd/system/$unit.service"
    done
}

machine_boot() {
    unshare --kill-child -m -p -n -u -i -f --propagation private "$ROOT/Tests/Units/init.sh" "$WORK" $(branches) \
        > "$WORK/init.log" 2>&1 &
    UNSHARE=$!
    local tries=0
    until INIT=$(pgrep -P "$UNSHARE" -x systemd); do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] && kill -0 "$UNSHARE" 2> /dev/null || { cat "$WORK/init.log"; return 1; }
        sleep 0.1
    done
    inside ip link set lo up
    for address in 198.51.100.7 203.0.113.200 192.0.2.1; do inside ip address add "$address/32" dev lo; done
    for tries in $(seq 300); do
        inside systemctl is-active --quiet crowd-test.target 2> /dev/null && return 0
        sleep 0.1
    done
    inside systemctl list-jobs
    return 1
}

machine_halt() {
    [ -n "$INIT" ] || return 0
    kill -KILL "$INIT" 2> /dev/null
    wait "$UNSHARE" 2> /dev/null
    INIT=
}

inside() { nsenter -t "$INIT" -m -u -i -n -p -C --root --wd -- env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
