# Sourced by the stand-ins. What an old CrowdSec (1.4.6) does not take of the shipped configuration is removed from the copy.
folder=$(dirname "$2")
if [ ! -e "$folder/.as-1.4-takes-it" ]; then
    : > "$folder/.as-1.4-takes-it"
    for scenario in "$folder"/scenarios/*; do
        sed -i '/^  classification:$/,/^  [a-z]/{/^  classification:$/d;/^    - /d}' "$scenario" # labels are texts there
    done
fi
# It does not say READY=1 unless it runs as a daemon.
announce() {
    (sleep 2.5 && [ -S "${NOTIFY_SOCKET:-}" ] && python3 -c "import os, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])") &
}
