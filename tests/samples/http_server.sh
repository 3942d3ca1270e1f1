# SPDX-License-Identifier: MIT
# Sourced by tests whose second argument is the server: starts it, and leaves its
# address in $site. It ends with the test, even if that is killed: then its
# standard input ends.
# shellcheck shell=sh
set -eu
server=$2
work=$(mktemp -d)
cd "$work"
mkfifo hold
"$server" "$work/port" <hold &
exec 3>hold
trap 'exec 3>&-; wait; rm -rf "$work"' EXIT
until test -e port; do
    kill -0 $! # it has not failed
    sleep 0.05
done
site=http://127.0.0.1:$(cat port)

# Times differ: each becomes T.
without_times() {
    sed 's/, [0-9.]* ms/, T ms/'
}
