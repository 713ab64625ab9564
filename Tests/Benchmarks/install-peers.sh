#!/bin/sh
# `make bench-peers`: installs what deploy/packages.txt names as peers, without starting or registering anything.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" -ne 0 ]; then echo "installing packages needs root" >&2; exit 1; fi
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    made_policy=1
fi
trap '[ -z "$made_policy" ] || rm -f "$policy"' EXIT
# A file that is not empty keeps the package from registering with a central service.
mkdir -p /etc/crowdsec
[ -s /etc/crowdsec/online_api_credentials.yaml ] || echo '# none' > /etc/crowdsec/online_api_credentials.yaml
deploy/install-packages peers
