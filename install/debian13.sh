#!/bin/sh
# Runs the tests in a Debian 13 of their own: debian13.sh FOLDER [TESTS]
#
# The folder is made once (a gigabyte, and four for the libraries) and kept.
set -eu
root=$1 tests=${2:-}

fail() {
  echo "mtlx: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "a Debian 13 in a folder needs root"
if [ -z "${MTLX_OWN_MOUNTS:-}" ]; then
  # What is mounted below the folder is seen by this script alone, and gone when it ends, however.
  MTLX_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$0" "$@"
fi
if [ ! -e "$root/etc/mtlx-ready" ]; then
  command -v debootstrap >/dev/null || fail "a Debian 13 in a folder needs debootstrap: apt-get install debootstrap"
  echo "mtlx: making a Debian 13 in $root"
  mkdir -p "$root"
  # What `make test` needs: make, a Python 3, git; OpenMP's library is LightGBM's.
  debootstrap --variant=minbase --include=ca-certificates,git,libgomp1,make,procps,python3 \
    trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 \
    || fail "debootstrap failed: $(tail -n 1 "$root.log"); see $root.log"
  # Certificates that this machine trusts besides, and a name for itself, which Beam looks up.
  cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$(hostname)" >"$root/etc/hosts"
  touch "$root/etc/mtlx-ready"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"

# Only what git knows; an environment that was made there before stays.
mkdir -p "$root/mtlx"
find "$root/mtlx" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .uv ! -name var -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard \
  | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh \
  | tar --null --files-from=- --create --file=- | tar --extract --file=- --directory="$root/mtlx"

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

target="make test"
[ -z "$tests" ] || target="make install && .venv/bin/python -m pytest $tests"
chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
  sh -c "cd /mtlx && $target"
