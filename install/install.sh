#!/bin/sh
# Makes the virtual environment of a stack: install.sh STACK LOCK VENV [PYTHON]
#
# It needs uv, or any Python 3 with which uv can be fetched. uv takes an interpreter that is here,
# else brings one of its own (from UV_PYTHON_INSTALL_MIRROR, where that is set).
set -eu
stack=$1 lock=$2 venv=$3 python=${4:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

case $stack in
  tfx-1.21) versions="3.13 3.12" ;;
  tfx-1.16) versions="3.10" ;;
esac

say() { echo "mtlx: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

# ---- uv ----------------------------------------------------------------------------------------
# Certificates of the machine count, as they do for pip; so does pip's index.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"

works() { "$@" >/dev/null 2>&1; }

find_uv() {
  if works "${UV:-uv}" venv --clear --help; then
    uv=${UV:-uv}
    return
  fi
  uv=.uv/uv
  works "$uv" --version && return
  for any in $python python3 python; do
    if works "$any" -c 'import sys; sys.exit(sys.version_info < (3, 6))'; then
      say "no uv here: fetching it with $any, into .uv/"
      "$any" install/fetch_uv.py .uv
      return
    fi
  done
  fail "needs uv or any Python 3 on the PATH, and finds neither:" \
    "apt-get install python3, or see https://docs.astral.sh/uv/getting-started/installation"
}

# ---- The interpreter ---------------------------------------------------------------------------
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

fits() { # whether an interpreter is of one of the stack's versions
  for one in $versions; do [ "$(version_of "$1")" != "$one" ] || return 0; done
  return 1
}

find_python() {
  if [ -n "$python" ]; then
    fits "$python" || fail "$stack needs Python $(echo "$versions" | sed 's/ / or /g');" \
      "PYTHON=$python is $(version_of "$python" || echo none)"
    return
  fi
  for version in $versions; do
    # pyenv's interpreters are on the PATH as shims, which work for the chosen version only.
    for one in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      [ ! -x "$one" ] || python=$one
    done
    [ -z "$python" ] || return 0
    python=$("$uv" python find --no-project --no-python-downloads "$version" 2>/dev/null) && return
  done
  python=${versions%% *}
  say "no Python $(echo "$versions" | sed 's/ / or /g') here: uv downloads $python" \
    "into its own folder${UV_PYTHON_INSTALL_MIRROR:+, from $UV_PYTHON_INSTALL_MIRROR}"
  run "$uv" python install --no-bin "$python"
}

# ---- Steps, each of which says in one line why it failed ----------------------------------------
run() {
  "$@" >"$log" 2>&1 && return
  if grep -qiE 'dns error|tcp connect|connection refused|connect error|timed out|unreachable' "$log"; then
    fail "no network, or none to $(grep -oE 'https?://[^/) `]+' "$log" | head -n 1): uv cannot fetch" \
      "what is needed; UV_PYTHON_INSTALL_MIRROR and UV_DEFAULT_INDEX name other places"
  fi
  cat "$log" >&2
  fail "failed: $*"
}

check_compiler() { # one package of the older stack is built from source
  [ "$stack" = tfx-1.16 ] || return 0
  for one in "${CXX:-c++}" g++ clang++; do works "$one" --version && return; done
  fail "$stack needs a C++ compiler, for pyfarmhash, of which there is no wheel: apt-get install g++"
}

check_compiler
find_uv
if ! fits "$venv/bin/python"; then
  find_python
  [ ! -e "$venv" ] || [ -e "$venv/pyvenv.cfg" ] || fail "$venv is there, and no virtual environment"
  # A link is not the place to make another one in.
  [ ! -L "$venv" ] || rm "$venv"
  say "making $venv with $python"
  run "$uv" venv --clear --no-project --python "$python" "$venv"
fi
say "installing the locked requirements of $lock (4 GB, minutes the first time)"
run "$uv" pip install --python "$venv/bin/python" --no-deps --compile-bytecode -r "$lock"
run "$uv" pip install --python "$venv/bin/python" --no-deps --no-build-isolation -e .
