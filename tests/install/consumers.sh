# SPDX-License-Identifier: MIT
# Sourced by tests that build consumer/: runs what came out of it. They have
# loop and curl, ON or OFF, and cxx, which is empty if there is no C++.
# shellcheck shell=bash
# shellcheck disable=SC2154 # loop, curl, cxx

root= # of the tree that the programs are in, if that is not the machine's

# run PROGRAM [ANSWER]: it must answer, and with the right answer.
run() {
    local answer inside=()
    [ -z "$root" ] || inside=(chroot "$root")
    answer=$("${inside[@]}" "$1")
    printf '%s: %s\n' "$(basename "$1")" "$answer"
    [ "$answer" = "${2:-6 * 7 = 42}" ]
}

# needs PROGRAM LIBRARY: it is linked to that shared library.
needs() {
    readelf -d "$root$1" | grep "NEEDED.*\[$2\.so\." >/dev/null
}

# run_shared FOLDER: the consumers there that are linked to shared libraries.
run_shared() {
    local library
    run "$1/c_shared"
    needs "$1/c_shared" libcfutures || fail "c_shared needs no libcfutures"
    for library in libcfutures_loop libuv; do
        ! needs "$1/c_shared" $library || fail "c_shared needs $library"
    done
    if [ -n "$cxx" ]; then
        run "$1/cxx_shared"
        run "$1/hpp_shared"
    fi
    run "$1/open_without" CF_ENOTSUP
    if [ "$loop" = ON ]; then
        run "$1/open_shared"
        needs "$1/open_shared" libcfutures_loop ||
            fail "open_shared needs no libcfutures_loop"
    fi
    [ "$curl" = OFF ] || run "$1/fetch_shared" 'no URL'
}

# run_all FOLDER: those of its CMakeLists.txt.
run_all() {
    run_shared "$1"
    run "$1/c_static"
    [ "$loop" = OFF ] || run "$1/open_static"
    [ "$curl" = OFF ] || run "$1/fetch_static" 'no URL'
}
