#!/bin/sh
# Which stack this machine installs: two words on standard output, the stack and its lock, and the
# reason in the rest of the line. `choose_stack.sh NAME` takes the named one.
#
# The wheels of TFDV and ML-Metadata decide: those of tfx 1.21 are built for glibc 2.39, those of
# tfx 1.16 run with any.
needed=2.39
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc \([0-9.]*\).*/\1/p')

newer_than_needed() { # whether $glibc is at least $needed
  [ "$(printf '%s\n%s\n' "$needed" "$glibc" | sort -t . -k 1,1n -k 2,2n | head -n 1)" = "$needed" ]
}

case "${1:-}" in
  tfx-1.21) echo "tfx-1.21 requirements.txt as STACK says" ;;
  tfx-1.16) echo "tfx-1.16 requirements-tfx-1.16.txt as STACK says" ;;
  "")
    if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ] || [ -z "$glibc" ]; then
      echo "mtlx: TFX has packages for Linux on x86-64 with glibc only, this is $(uname -s) on" \
        "$(uname -m); STACK=tfx-1.21 tries all the same" >&2
      exit 2
    elif newer_than_needed; then
      echo "tfx-1.21 requirements.txt since glibc is $glibc here, $needed or newer"
    else
      echo "tfx-1.16 requirements-tfx-1.16.txt since glibc is $glibc here, and tfx 1.21 needs $needed"
    fi
    ;;
  *)
    echo "mtlx: STACK=$1 is none of tfx-1.21, tfx-1.16" >&2
    exit 2
    ;;
esac
