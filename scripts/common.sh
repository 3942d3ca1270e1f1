# SPDX-License-Identifier: MIT
# Sourced by the scripts: stops at the first error, knows the root of the
# source tree, and finds out what is missing before it is missed.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_root=${CF_BUILD_ROOT:-$root/build}
jobs=$(nproc)
export CMAKE_BUILD_PARALLEL_LEVEL=$jobs
export CTEST_PARALLEL_LEVEL=$((jobs + 1)) # many tests wait more than they run
export CTEST_OUTPUT_ON_FAILURE=1

step() {
    printf '\n==> %s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# present PROBE: is there such a file (/glob), header (name.h) or command?
present() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *.h) echo "#include <$1>" | cc -E - >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# need PACKAGE=PROBE...: installs the Debian packages whose command or header
# is not there. Nothing is installed, and no root needed, if all are.
need() {
    local item sudo=() missing=()
    for item in "$@"; do
        present "${item#*=}" || missing+=("${item%%=*}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    step "Installing ${missing[*]}"
    command -v apt-get >/dev/null ||
        die "please install ${missing[*]} (names as in Debian):" \
            "there is no apt-get here to do it"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "please install ${missing[*]}: that needs root or sudo"
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq </dev/null
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        </dev/null
    for item in "$@"; do
        present "${item#*=}" || die "${item%%=*} did not bring ${item#*=}"
    done
}

need_to_build() {
    need gcc=gcc gcc=cc libc6-dev=stdlib.h make=make cmake=cmake \
        libgmp-dev=gmp.h libuv1-dev=uv.h libcurl4-openssl-dev=curl/curl.h \
        zlib1g-dev=zlib.h nettle-dev=nettle/sha2.h libsqlite3-dev=sqlite3.h \
        libturbojpeg0-dev=turbojpeg.h libpng-dev=png.h \
        'libboost-context-dev=/usr/lib/*/libboost_context.a'
}

need_to_test() {
    need_to_build
    need g++=g++ ninja-build=ninja pkg-config=pkg-config libcriterion-dev=criterion/criterion.h \
        clang-format=clang-format clang-tidy=clang-tidy valgrind=valgrind \
        lintian=lintian dpkg-dev=dpkg-shlibdeps sqlite3=sqlite3 \
        abigail-tools=abidiff mandoc=mandoc man-db=mandb python3=python3 \
        libtbb-dev=/usr/include/oneapi/tbb.h \
        libglib2.0-dev=/usr/include/glib-2.0/glib.h
}

# configure FOLDER CMAKE_ARG...: FOLDER of build_root, for Ninja if there is one,
# which is done in half of the time.
configure() {
    local folder=$build_root/$1 ninja=()
    shift
    if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
        ninja=(-G Ninja)
    fi
    step "Configuring $folder"
    cmake -S "$root" -B "$folder" "${ninja[@]}" "$@"
}

# build FOLDER CMAKE_ARG...: configures and builds into FOLDER of build_root.
build() {
    configure "$@"
    step "Building $build_root/$1"
    cmake --build "$build_root/$1"
}

# without_aslr COMMAND...: some kernels place memory where the thread sanitizer
# of older compilers cannot cope with it. Only where that is so, and only for
# the command.
without_aslr() {
    local probe
    probe=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$probe/main.c"
    cc -fsanitize=thread "$probe/main.c" -o "$probe/main"
    if "$probe/main" 2>/dev/null; then
        rm -r "$probe"
        "$@"
    else
        rm -r "$probe"
        setarch "$(uname -m)" -R "$@"
    fi
}
