#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian packages: builds and installs them as README.md says, line by line, in
# a clean tree. lintian accepts them; they hold what they should, and all is
# root's; programs build and run in that tree, and the manual is found; dpkg
# takes away all that it brought: debian.sh SOURCE GENERATOR ON|OFF ON|OFF CC
#                                           [CXX]
# ON: with the event loop; with libcurl.
set -euo pipefail

source=$1 generator=$2 loop=$3 curl=$4 cc=$5 cxx=${6:-}
here=$source/tests/install
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
tree=$home/tree
# shellcheck source=tests/install/common.sh
. "$here/common.sh"
# shellcheck source=tests/install/lines.sh
. "$here/lines.sh"
# shellcheck source=tests/install/consumers.sh
. "$here/consumers.sh"
# shellcheck source=tests/install/tree.sh
. "$here/tree.sh"

# holds PACKAGE PATTERN...: it has what these stand for, and nothing else; all
# is root's, and of the usual modes.
holds() {
    local package=$1 listing files file pattern
    shift
    listing=$(dpkg-deb --fsys-tarfile "build/${package}_"*.deb |
        tar --numeric-owner -tvf -)
    ! awk '$2 != "0/0" || $1 !~ /^(drwxr-xr-x|-rw-r--r--|lrwxrwxrwx)$/' \
        <<<"$listing" | grep . || fail "these are not root's, or of other modes"
    files=$(grep -v '^d' <<<"$listing" |
        sed -E 's|^[^.]* \./||; s| -> .*||; s|^|/|')
    for pattern in "$@" "/usr/share/doc/$package/copyright" \
        "/usr/share/doc/$package/changelog.Debian.gz"; do
        file=$(grep -xE "$pattern" <<<"$files") ||
            fail "$package has no $pattern"
        files=$(grep -vxE "$pattern" <<<"$files" || true)
    done
    [ -z "$files" ] || fail "$package also has $files"
}

# All packages hold what they should.
look_into_packages() {
    local headers component components=()
    [ "$loop" = OFF ] || components+=(loop)
    [ "$curl" = OFF ] || components+=(curl)
    headers=$(cd include && find cfutures -type f)
    [ "$curl" = ON ] || headers=$(grep -v /curl.h <<<"$headers")
    for component in '' "${components[@]/#/-}"; do
        holds "libcfutures$component$release" \
            "$lib/libcfutures${component/-/_}.so.$release(\.[0-9]+)?"
    done
    # shellcheck disable=SC2046,SC2086 # one word a header
    holds libcfutures-dev $(printf '/usr/include/%s\n' $headers) \
        "$lib/libcfutures(_[a-z]+)?\.(a|so)" \
        $(printf "$lib/pkgconfig/%s\.pc\n" cfutures \
            "${components[@]/#/cfutures-}") \
        "$lib/cmake/cfutures/[A-Za-z_-]+\.cmake" \
        '/usr/share/cfutures/cfutures-gdb\.py' \
        '/usr/share/man/man3/cf_submit\.3\.gz' \
        '/usr/share/man/man[37]/(cf_|CF_|cfutures)[a-zA-Z0-9_-]*\.[37]\.gz'
    holds libcfutures-doc '/usr/share/doc/libcfutures-doc/html/index.html' \
        '/usr/share/doc/libcfutures-doc/html/[a-zA-Z_-]+\.html'
}

# inside COMMAND...: in the tree.
in_tree=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
    chroot "$tree")
inside() {
    "${in_tree[@]}" "$@"
}

# What dpkg and the loader know of the packages, now that they are installed.
look_into_tree() {
    local package library said
    for package in $packages; do
        inside dpkg -s "$package" | grep '^Status: install ok installed$' \
            >/dev/null ||
            fail "$package is not installed"
        said=$(inside dpkg --verify "$package")
        [ -z "$said" ] || fail "dpkg --verify $package: $said"
    done
    for library in "$tree$lib"/libcfutures*.so; do
        library=$(basename "$library")
        [ "$(readlink "$tree$lib/$library")" = "$library.$release" ] ||
            fail "$library leads elsewhere"
        readelf -d "$tree$lib/$library" |
            grep "SONAME.*\[$library\.$release\]" >/dev/null ||
            fail "$library has another soname"
        # libc-bin's trigger has run.
        inside ldconfig -p | grep "^.$library\.$release .* => " \
            >/dev/null ||
            fail "the loader does not know $library"
    done
}

# What the README says of a program, and what find_package() finds.
use_packages() {
    typed_in=("${in_tree[@]}" env -C /hello sh)
    mkdir "$tree/hello"
    cp "$source/samples/hello.c" "$source/samples/hello.cpp" "$tree/hello/"
    follow 'from packages'
    says '4 squared is 16'
    follow 'from packages' "$in_cxx"
    says '4 squared is 16'
    cp -r "$here/consumer" "$tree/consumer"
    inside cmake -S /consumer -B /consumer/build -DCONSUMER_CXX=ON \
        -DCONSUMER_LOOP="$loop" -DCONSUMER_CURL="$curl"
    inside cmake --build /consumer/build
    root=$tree cxx=c++
    run_all /consumer/build
    inside man 3 cf_submit 2>&1 | grep 'schedules a task' >/dev/null ||
        fail "man does not find cf_submit()"
    inside man 7 cfutures >/dev/null
    [ -s "$tree/usr/share/doc/libcfutures-doc/html/index.html" ] ||
        fail "there is no web site"
    rm -r "$tree/hello" "$tree/consumer"
}

# Removes the packages: the tree is as it was.
remove_packages() {
    ! inside dpkg --remove "libcfutures$release" >"$home/output" 2>&1 ||
        fail "the library can be removed while others need it"
    # shellcheck disable=SC2086 # one word a package
    inside dpkg --remove $packages
    files_of "$tree" | diff "$home/before" - || fail "files are left behind"
    ! inside ldconfig -p | grep cfutures || fail "the loader still knows it"
    # shellcheck disable=SC2086 # one word a package
    inside dpkg --purge $packages
    ! grep '^Package: .*cfutures' "$tree/var/lib/dpkg/status" ||
        fail "dpkg still knows a package"
    ! find "$tree/var/lib/dpkg/info" | grep cfutures ||
        fail "dpkg keeps files of a package"
}

for tool in dpkg-shlibdeps dpkg-deb gzip python3; do
    command -v $tool >/dev/null || skip "$tool is not installed"
done
lib=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
release=$(sed -nE 's/.*VERSION_(MAJOR|MINOR) ([0-9]+).*/\2/p' \
    "$source/include/cfutures/base.h" | paste -sd.)
export CMAKE_GENERATOR=$generator CC=$cc ${cxx:+CXX="$cxx"}
unset PKG_CONFIG_PATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH DESTDIR

# Stands in for sudo: does in the tree what it is asked to do.
mkdir "$home/bin"
cat >"$home/bin/sudo" <<SCRIPT
#!/bin/sh -eu
[ -e "$tree" ] || exit 0
for word; do
    [ ! -f "\$word" ] || cp --parents "\$word" "$tree/tmp"
done
exec ${in_tree[@]} env -C /tmp "\$@"
SCRIPT
chmod +x "$home/bin/sudo"
PATH=$home/bin:$PATH

# May we make a system in a folder, and enter it?
root_here=OFF
! chroot / true 2>/dev/null || root_here=ON
if [ $root_here = ON ]; then
    clean=(apt man-db g++ gcc cmake make pkg-config)
    [ "$loop" = OFF ] || clean+=(libuv1-dev)
    [ "$curl" = OFF ] || clean+=(libcurl4-openssl-dev)
    for package in "${clean[@]}"; do # dpkg also knows what was removed
        [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" || true) == ?i* ]] ||
            skip "$package is not installed"
    done
    make_tree "$tree" "${clean[@]}"
    files_of "$tree" >"$home/before"
fi
at_most_five debian 'from packages'
clone "$home"
cd "$home/libcfutures"
without=
[ "$loop" = ON ] || without='s/-DCF_DEBIAN=ON/& -DCF_EVENT_LOOP=OFF/'
follow debian "$without"
packages=$(for deb in build/*.deb; do dpkg-deb -f "$deb" Package; done)
look_into_packages
if command -v lintian >/dev/null; then
    # CPack writes scripts that call ldconfig, and the change log closes no bug.
    # What lintian looks for in manual pages takes it longer than all else; the
    # test manual_installed has that.
    said=$(lintian --allow-root -X documentation/manual build/*.deb | grep -v \
        -e ' maintscript-calls-ldconfig ' \
        -e ' initial-upload-closes-no-bugs ' || true)
    [ -z "$said" ] || fail "lintian: $said"
fi
[ $root_here = ON ] || skip "the packages are not installed, as only root may" \
    "make a system in a folder and enter it (chroot)"
look_into_tree
use_packages
remove_packages
