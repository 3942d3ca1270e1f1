# SPDX-License-Identifier: MIT
# Sourced: a clean Debian in a folder, made of packages that are installed on
# the machine. Nothing is downloaded.
# shellcheck shell=bash

# installed_needs PACKAGE...: these packages, and what they depend on. Of
# alternatives, and of packages that provide the same, all that are installed.
installed_needs() {
    local form='${db:Status-Abbrev}\t${Package}\t${Provides}\t'
    dpkg-query -W -f "$form"'${Pre-Depends},${Depends}\n' |
        awk -F '\t' -v wanted="$*" '
            function names(text) {
                gsub(/\([^)]*\)|:[a-z0-9]+| /, "", text)
                gsub(/\|/, ",", text)
                return text
            }
            function visit(name,  parts, count, i) {
                if (name == "" || name in seen)
                    return
                seen[name] = 1
                if (name in needs)
                    print name
                count = split(name in needs ? needs[name] : given[name], parts,
                              ",")
                for (i = 1; i <= count; i++)
                    visit(parts[i])
            }
            $1 ~ /^.i/ {
                needs[$2] = names($4)
                count = split(names($3), parts, ",")
                for (i = 1; i <= count; i++)
                    given[parts[i]] = given[parts[i]] "," $2
            }
            END {
                count = split(wanted, parts, " ")
                for (k = 1; k <= count; k++)
                    visit(parts[k])
            }'
}

# make_tree TREE PACKAGE...: a tree in which dpkg has these packages, those that
# each Debian has, what they depend on, and no others. Their scripts have not
# run, so nothing is configured; libc-bin has its trigger, for the loader's
# cache.
make_tree() {
    local tree=$1 packages package file database=var/lib/dpkg
    shift
    # shellcheck disable=SC2046 # one word a package
    packages=$(installed_needs "$@" $(dpkg-query -W -f \
        '${Essential} ${Package}\n' | sed -n 's/^yes //p'))
    mkdir -p "$tree"/{dev,etc,proc,root,run,tmp} \
        "$tree"/usr/{bin,sbin,lib,lib64} \
        "$tree/$database"/{info,triggers,updates}
    chmod 755 "$tree"
    chmod 1777 "$tree/tmp"
    # shellcheck disable=SC2086 # one word a package
    {
        # On many machines these are links to folders of /usr.
        printf '%s\n' /bin /sbin /lib /lib64
        dpkg -L $packages | grep '^/.*[^.]' | sort -u | grep -vE \
            '^/usr/share/(doc|info|lintian|locale|man)/'
        printf '%s\n' /etc/{passwd,group,alternatives} \
            {/etc/alternatives,/usr/bin}/{cc,c++}
    } >"$tree/root/list"
    tar -C / -c --no-recursion --ignore-failed-read -T "$tree/root/list" \
        2>/dev/null | tar -C "$tree" -x
    rm "$tree/root/list"
    # Where devices are not allowed, an ordinary file has to do.
    mknod -m 666 "$tree/dev/null" c 1 3 || true
    if ! : >>"$tree/dev/null"; then
        rm -f "$tree/dev/null"
        : >"$tree/dev/null"
    fi

    # shellcheck disable=SC2086 # one word a package
    dpkg-query -s $packages >"$tree/$database/status"
    for package in $packages; do
        for file in "/$database/info/$package".list \
            "/$database/info/$package":*.list; do
            [ ! -e "$file" ] || cp "$file" "$tree/$database/info/"
        done
    done
    cp "/$database/info/format" "$tree/$database/info/"
    cp "/$database/info/libc-bin.postinst" "$tree/$database/info/"
    cp "/$database/info/libc-bin.triggers" "$tree/$database/info/"
    echo libc-bin >"$tree/$database/triggers/ldconfig"
    cat >"$tree/etc/apt/apt.conf.d/00tree" <<'TEXT'
APT::Sandbox::User "root";
Dpkg::Use-Pty "0";
TEXT
    chroot "$tree" ldconfig
}

# files_of TREE: what is in it, without what dpkg, apt and the loader note.
files_of() {
    (
        cd "$1" || exit
        find . \( -path ./var/lib/dpkg -o -path ./var/lib/apt \
            -o -path ./var/cache -o -path ./var/log -o -path ./tmp \
            -o -path ./etc/ld.so.cache \) -prune -o -printf '%y %p\n' | sort
    )
}
