# Sourced by the commands of this folder: steps with elapsed time, and where to build.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
began=$SECONDS

# say TEXT: one line, with the seconds since the command began.
say() { printf '[%4ds] %s\n' "$((SECONDS - began))" "$*"; }

# jobs: one compiler per core, and no more than memory holds at 1 GB each.
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1000000) }' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo "$((cores < memory ? cores : memory))"
}

# build TARGET…: in build/release; in a pipe one line for every tenth done, and every warning in full.
build() {
  local ninja=(ninja -C build/release -j "$(jobs)" "$@")
  if [ -t 1 ]; then
    "${ninja[@]}"
  else
    NINJA_STATUS='[%f/%t] ' "${ninja[@]}" | awk '
      /^\[[0-9]+\/[0-9]+\] / {
        split(substr($1, 2), n, /[\/\]]/)
        tenth = int(10 * n[1] / n[2])
        if (tenth != shown) { shown = tenth; printf "        %d of %d\n", n[1], n[2]; fflush() }
        next
      }
      { print; fflush() }'
  fi
}
