#!/bin/sh
# kafka-warden's preStop hook, generation 4: before this container is told to stop, it asks the sidecar of its cluster whether
# the other brokers can spare it. Then it runs the manifest's own hook, which is given as arguments, and waits until the
# container's first process is one that hears a signal: in the first seconds that is a shell of the image, which does not, and
# Kafka would start all the same and run until it is killed at the end of the grace period.
#
#   yes, or no answer   it stops at once: whoever is away must not keep a pod alive
#   wait                it asks again every second, for WARDEN_STOP_SECONDS at most
#
#   WARDEN_STOPS   HOST:PORT of the sidecar; unset: nobody is asked
#   WARDEN_POD, WARDEN_POD_UID   which pod this is
#
# bash speaks TCP by itself; without it, or where it was built without that, whatever the image has that speaks HTTP will do.
bash=${WARDEN_BASH:-/bin/bash}
[ -n "${BASH_VERSION:-}" ] || [ ! -x "$bash" ] || exec "$bash" "$0" "$@"

host=${WARDEN_STOPS%:*}
port=${WARDEN_STOPS##*:}
path="/v1/stops/${WARDEN_POD:-}?uid=${WARDEN_POD_UID:-}"
limit=${WARDEN_STOP_SECONDS:-30}
patience=2

say() { # to the container's own log, where it can be reached: nobody sees what a hook prints
  { printf 'kafka-warden: %s\n' "$*" >>"${WARDEN_LOG:-/proc/1/fd/1}"; } 2>/dev/null || printf 'kafka-warden: %s\n' "$*"
}

request() { printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$host"; }
body() { # of an HTTP response that says 200, its first line
  cr=$(printf '\r')
  IFS=' ' read -r _ status _ || return 1
  [ "${status%"$cr"}" = 200 ] || return 1
  while IFS= read -r line && [ -n "${line%"$cr"}" ]; do :; done
  IFS= read -r line || [ -n "$line" ] || return 1
  printf '%s\n' "$line"
}
fetch() { # the answer, or nothing
  if [ -n "${BASH_VERSION:-}" ]; then
    # A bash without sockets takes it for a file that is not there.
    exec 3<>"/dev/tcp/$host/$port" || return 1
    request >&3
    body <&3
  elif command -v curl >/dev/null; then
    curl -fsS -m "$patience" "http://$host:$port$path"
  elif command -v wget >/dev/null; then
    wget -q -T "$patience" -O - "http://$host:$port$path"
  elif command -v nc >/dev/null; then
    request | nc -w "$patience" "$host" "$port" | body
  fi
}
if [ "${1:-}" = --fetch ]; then
  fetch
  exit
fi
ask() { # the answer, or nothing after two seconds: a name that is not resolved, or a connection that hangs, ends with its process
  timeout "$patience" "${BASH:-/bin/sh}" "$0" --fetch 2>/dev/null
}

hold() { # until this pod may stop, or may wait no longer
  from=$(date +%s)
  said=''
  while :; do
    answer=$(ask)
    case $answer in
      yes | 'yes '*) return ;;
      wait | 'wait '*) ;;
      *)
        say "stopping: the sidecar of this cluster does not say whether the other brokers can spare this one"
        return
        ;;
    esac
    why=${answer#wait}
    why=${why# }
    # Another round takes up to three seconds.
    if [ $(($(date +%s) - from)) -gt $((limit - 3)) ]; then
      say "stopping all the same after $limit seconds: $why"
      return
    fi
    [ "$said" = "$answer" ] || say "waiting for up to $limit seconds before stopping: $why"
    said=$answer
    sleep 1
  done
}
[ -z "${WARDEN_STOPS:-}" ] || hold

if [ $# -gt 0 ]; then "$@"; fi
code=$?

hears() { # whether the first process handles SIGTERM (15), or takes signals by hand, as tini does; or cannot be asked
  [ -r "$status" ] || return 0
  while read -r name mask _; do
    case $name in SigBlk: | SigCgt:) [ $((0x${mask#????????} & 0x4000)) -eq 0 ] || return 0 ;; esac
  done <"$status"
  return 1
}
status=${WARDEN_FIRST:-/proc/1/status}
from=$(date +%s)
until hears || [ $(($(date +%s) - from)) -ge "${WARDEN_HEAR_SECONDS:-60}" ]; do sleep 1; done
exit "$code"
