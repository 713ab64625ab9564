# Sourced by accept.sh: /etc/crowdsec as Debian's package installs it, accepted unchanged by our programs.
#
# Copies of /etc/crowdsec and /var/lib/crowdsec are laid over the originals in a mount namespace of their own.

echo "Debian's configuration, unchanged:"
cp -a /etc/crowdsec "$WORK/debian-etc"
cp -a /var/lib/crowdsec "$WORK/debian-lib"

on_debian() {
    unshare -m sh -c '
        mount --bind "$1" /etc/crowdsec && mount --bind "$2" /var/lib/crowdsec || exit 1
        shift 2
        exec "$@"' sh "$WORK/debian-etc" "$WORK/debian-lib" "$@"
}

check "crowd-lapi -t" on_debian "$BIN/crowd-lapi" -c /etc/crowdsec/config.yaml -t
check "crowd-agent -t" on_debian "$BIN/crowd-agent" -c /etc/crowdsec/config.yaml -t
check "cscli config show" on_debian "$BIN/cscli" config show
check "cscli config show --key" prints '^/var/lib/crowdsec/hub$' on_debian "$BIN/cscli" config show --key Config.ConfigPaths.HubDir
check "cscli hub list has Debian's collections" prints 'crowdsecurity/sshd,enabled,' on_debian "$BIN/cscli" hub list -o raw
check "nothing in it is tainted or local" sh -c '! grep -q "tainted\|local" "$1"' sh <(on_debian "$BIN/cscli" hub list -o raw 2> /dev/null)
check "cscli machines list reads its database" on_debian "$BIN/cscli" machines list
check "cscli simulation status" prints 'global simulation: disabled' on_debian "$BIN/cscli" simulation status
