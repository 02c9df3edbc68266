#!/bin/bash
# unpack-pgbouncer-deb.sh SUITE PREFIX
#
# Puts the PgBouncer of a Debian suite (bookworm: 1.18, trixie: 1.24, sid: the newest) under PREFIX, to be run as
# PREFIX/bin/pgbouncer, and prints its version. Nothing is installed on the system and nothing is compiled: the binary
# comes with the C library and all other libraries of its own suite, so that an older Debian runs it as well.
#
# Needs Debian, apt-get, dpkg and awk; neither root nor a previous `apt-get update`. Mirror and keyring are the ones the
# system is set up with. Several runs at once do not disturb each other: the first to finish puts PREFIX in place.
set -euo pipefail

suite=${1:?which suite?}
prefix=${2:?which folder?}
deb822=/etc/apt/sources.list.d/debian.sources
one_line=/etc/apt/sources.list

fail() {
  echo "unpack-pgbouncer-deb.sh: $*" >&2
  exit 1
}

# One source, the system's own main archive, but for the suite asked for.
write_source() {
  mkdir -p "$work/sources"
  if [ -r "$deb822" ]; then
    awk -v suite="$suite" '
      BEGIN { RS = "" }
      NR == 1 {
        gsub(/(^|\n)#[^\n]*/, "")
        sub(/^\n/, "")
        sub(/Types:[^\n]*/, "Types: deb")
        sub(/Suites:[^\n]*/, "Suites: " suite)
        sub(/Components:[^\n]*/, "Components: main")
        print
      }' "$deb822" > "$work/sources/suite.sources"
  elif [ -r "$one_line" ]; then
    # deb [options] address suite components
    sed -nE "s/^deb +(\[[^]]*\] +)?([^ ]+) .*/deb \1\2 $suite main/p" "$one_line" | head -n 1 > "$work/sources/suite.list"
    [ -s "$work/sources/suite.list" ] || fail "no 'deb' line in $one_line"
  else
    fail "neither $deb822 nor $one_line exists"
  fi
}

# An apt with a state of its own: no lock is shared with the system's, and no installed package stands in the way.
set_up_apt() {
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
  : > "$work/status"
  apt_options=(
    -qq
    -o Dir::Etc::sourcelist=/dev/null
    -o Dir::Etc::sourceparts="$work/sources"
    -o Dir::State::Lists="$work/lists"
    -o Dir::State::status="$work/status"
    -o Dir::Cache="$work/cache"
    -o Acquire::Languages=none
    -o Acquire::Retries=2
    -o Acquire::http::Timeout=20
    -o Acquire::https::Timeout=20
    # The downloads' usual owner, _apt, could not enter our folders.
    -o APT::Sandbox::User="$(id -un)"
    -o Debug::NoLocking=1
  )
  apt-get "${apt_options[@]}" update
}

# Downloads the packages named and unpacks them into the draft.
unpack() {
  (cd "$work/debs" && apt-get "${apt_options[@]}" download "$@")
  for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$draft/root"
  done
  rm "$work"/debs/*.deb
}

# The libraries that a package depends on directly.
libraries_of() {
  apt-cache "${apt_options[@]}" depends --important "$1" | awk '/Depends: (lib|zlib)/ { print $NF }'
}

library_folders() {
  (cd "$1" && find root -type d \( -path '*/lib/*-linux-gnu' -o -path '*/lib/*-linux-gnu/systemd' \))
}

library_path() {
  library_folders "$draft" | sed "s|^|$draft/|" | paste -sd :
}

lacks_libraries() {
  local listing
  listing=$("$draft/$loader" --library-path "$(library_path)" --list "$draft/root/usr/sbin/pgbouncer" 2>&1) || true
  grep -qE 'not found|cannot open' <<< "$listing"
}

# Level by level through the dependencies, until the loader finds everything: a fraction of the full closure.
unpack_missing_libraries() {
  local seen=' libc6 '
  local level next package
  level=$(libraries_of pgbouncer)
  while lacks_libraries; do
    [ -n "$level" ] || fail "the packages of $suite do not contain all libraries that pgbouncer needs"
    next=''
    for package in $level; do
      case $seen in *" $package "*) continue ;; esac
      seen="$seen$package "
      unpack "$package"
      next="$next $(libraries_of "$package")"
    done
    level=$(xargs <<< "$next")
  done
}

# Paths relative to the wrapper: the draft is yet to be moved.
write_wrapper() {
  local path
  path=$(library_folders "$draft" | sed 's|^|$here/|' | paste -sd :)
  mkdir -p "$draft/bin"
  cat > "$draft/bin/pgbouncer" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/$loader" --library-path "$path" "\$here/root/usr/sbin/pgbouncer" "\$@"
WRAPPER
  chmod 755 "$draft/bin/pgbouncer"
}

# mktemp made the draft for us alone, but the server runs as another user.
put_in_place() {
  chmod -R u+rwX,go+rX "$draft"
  if ! mv -T "$draft" "$prefix" 2> "$work/mv.log"; then
    # Not empty: another run was first.
    [ -x "$prefix/bin/pgbouncer" ] || fail "$(cat "$work/mv.log")"
  fi
}

main() {
  # Ubuntu's mirrors do not have Debian's suites.
  grep -qs '^ID=debian$' /etc/os-release || fail 'this is not Debian'
  for program in apt-get apt-cache dpkg awk; do
    command -v "$program" > /dev/null || fail "$program is missing"
  done

  work=$(mktemp -d "${TMPDIR:-/tmp}/pgbouncer-deb.XXXXXX")
  mkdir -p "$(dirname "$prefix")"
  # Beside its destination, so that moving it there is one rename.
  draft=$(mktemp -d "$prefix.making-XXXXXX")
  trap 'rm -rf "$work" "$draft"' EXIT

  write_source
  set_up_apt
  mkdir "$draft/root"
  unpack pgbouncer libc6
  loader=$(cd "$draft" && find root -name 'ld-linux-x86-64.so.2' -o -name 'ld-linux-aarch64.so.1' | head -n 1)
  [ -n "$loader" ] || fail "no dynamic loader known for $(uname -m)"
  unpack_missing_libraries
  write_wrapper
  put_in_place
  "$prefix/bin/pgbouncer" --version | head -n 1
}

main
