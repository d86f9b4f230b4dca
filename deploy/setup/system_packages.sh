#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Installs Debian packages as root, and leaves the machine's services alone: no daemon is
# started now or enabled for the next boot, and PostgreSQL makes no cluster of its own. Luuthong
# runs private ones. Services that were there before are not touched.
# Usage: sh system_packages.sh PACKAGE...
set -eu

policy=/usr/sbin/policy-rc.d
cluster_setting=/etc/postgresql-common/createcluster.d/luuthong.conf
services="mosquitto.service postgresql.service"
new_services=
made_policy=no
made_cluster_setting=no

tidy() {
    if [ "$made_policy" = yes ]; then rm -f "$policy"; fi
    if [ "$made_cluster_setting" = yes ]; then rm -f "$cluster_setting"; fi
}
trap tidy EXIT
trap 'exit 130' INT TERM

if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
if [ ! -e "$cluster_setting" ]; then
    made_cluster_setting=yes
    mkdir -p "${cluster_setting%/*}"
    printf 'create_main_cluster = false\n' >"$cluster_setting"
fi

for service in $services; do
    if [ ! -e "/usr/lib/systemd/system/$service" ] && [ ! -e "/lib/systemd/system/$service" ]; then
        new_services="$new_services $service"
    fi
done

DEBIAN_FRONTEND=noninteractive
LC_ALL=C
export DEBIAN_FRONTEND LC_ALL
apt-get -q update
apt-get -q -y --no-install-recommends install "$@"

if command -v systemctl >/dev/null 2>&1; then
    for service in $new_services; do
        systemctl disable "$service" >/dev/null 2>&1 || true
    done
fi
