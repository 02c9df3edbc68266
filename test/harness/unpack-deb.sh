#!/bin/bash
# unpack-deb.sh SUITE PACKAGE PREFIX PROGRAM...
#
# Puts programs of a package of a Debian suite, such as /usr/sbin/pgbouncer, under PREFIX, to be run as PREFIX/bin/pgbouncer.
# Nothing is installed on the system and nothing is compiled: they come with the C library and all other libraries of their
# own suite, so that an older Debian runs them as well.
#
# Needs Debian, apt-get, dpkg and awk; neither root nor a previous `apt-get update`. Mirror and keyring are the ones the
# system is set up with. Several runs at once do not disturb each other: the first to finish puts PREFIX in place.
set -euo pipefail

suite=${1:?which suite?}
package=${2:?which package?}
prefix=${3:?which folder?}
shift 3
programs=("$@")
deb822=/etc/apt/sources.list.d/debian.sources
one_line=/etc/apt/sources.list

fail() {
  echo "unpack-deb.sh: $*" >&2
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
  local listing program
  for program in "${programs[@]}"; do
    listing=$("$draft/$loader" --library-path "$(library_path)" --list "$draft/root$program" 2>&1) || true
    if grep -qE 'not found|cannot open' <<< "$listing"; then return 0; fi
  done
  return 1
}

# Level by level through the dependencies, until the loader finds everything: a fraction of the full closure.
unpack_missing_libraries() {
  local seen=' libc6 '
  local level next library
  level=$(libraries_of "$package")
  while lacks_libraries; do
    [ -n "$level" ] || fail "the packages of $suite do not contain all libraries that $package needs"
    next=''
    for library in $level; do
      case $seen in *" $library "*) continue ;; esac
      seen="$seen$library "
      unpack "$library"
      next="$next $(libraries_of "$library")"
    done
    level=$(xargs <<< "$next")
  done
}

# Paths relative to the wrapper: the draft is yet to be moved.
write_wrappers() {
  local path program
  path=$(library_folders "$draft" | sed 's|^|$here/|' | paste -sd :)
  mkdir -p "$draft/bin"
  for program in "${programs[@]}"; do
    cat > "$draft/bin/$(basename "$program")" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/$loader" --library-path "$path" "\$here/root$program" "\$@"
WRAPPER
    chmod 755 "$draft/bin/$(basename "$program")"
  done
}

# mktemp made the draft for us alone, but servers run as another user.
put_in_place() {
  chmod -R u+rwX,go+rX "$draft"
  if ! mv -T "$draft" "$prefix" 2> "$work/mv.log"; then
    # Not empty: another run was first.
    [ -d "$prefix/bin" ] || fail "$(cat "$work/mv.log")"
  fi
}

main() {
  # Ubuntu's mirrors do not have Debian's suites.
  grep -qs '^ID=debian$' /etc/os-release || fail 'this is not Debian'
  for needed in apt-get apt-cache dpkg awk; do
    command -v "$needed" > /dev/null || fail "$needed is missing"
  done

  work=$(mktemp -d "${TMPDIR:-/tmp}/poolguard-deb.XXXXXX")
  mkdir -p "$(dirname "$prefix")"
  # Beside its destination, so that moving it there is one rename.
  draft=$(mktemp -d "$prefix.making-XXXXXX")
  trap 'rm -rf "$work" "$draft"' EXIT

  write_source
  set_up_apt
  mkdir "$draft/root"
  unpack "$package" libc6
  loader=$(cd "$draft" && find root -name 'ld-linux-x86-64.so.2' -o -name 'ld-linux-aarch64.so.1' | head -n 1)
  [ -n "$loader" ] || fail "no dynamic loader known for $(uname -m)"
  unpack_missing_libraries
  write_wrappers
  put_in_place
}

main
