#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The ABI is that of the last release: release.sh SOURCE. Skipped where there
# is none, or no abidiff.
set -euo pipefail

for tool in abidiff git; do
    command -v $tool >/dev/null || {
        echo "abi: $tool is not installed"
        exit 77
    }
done
exec "$1/scripts/abi"
