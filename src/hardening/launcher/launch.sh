#!/bin/bash
# kafka-warden's launcher: applies the hardened settings last, decides what only the start can know, and execs the
# image's own entrypoint, which is its first argument. It needs bash and the coreutils that every Kafka image has.
#
#   WARDEN_SETTINGS   a setting a line, in Kafka's own property names:
#                       key=value    always          key?=value   unless the manifest sets it
#                       key>=number  at least        key+=item    appended to the manifest's list
#                       !key         must not be set (removed from the environment)
#   @ordinal, @voters in a value stand for this pod's node id and for the quorum's voters.
set -u
say() { echo "kafka-warden: $*"; }
fail() { say "$*" >&2; exit 78; }
trap 'exit 143' TERM

keys=${WARDEN_KEYS:-/etc/kafka-warden/keys}
mounted=${WARDEN_MOUNTED_PROPERTIES:-/mnt/shared/config/server.properties}
patience=${WARDEN_POLL_SECONDS:-1}
[ $# -gt 0 ] || fail "nothing to start: the launcher is called with the image's entrypoint"
entrypoint=$1
shift

# Arguments NAME=VALUE are environment to the image and would come after ours: they are taken here.
arguments=()
for argument in "$@"; do
  if [[ $argument =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then export "${argument?}"; else arguments+=("$argument"); fi
done

await() { # message, test command…: until the test holds, saying every ten seconds what is waited for
  local message=$1 waited=0
  shift
  until "$@"; do
    [ $((waited % 10)) -ne 0 ] || say "waiting: $message"
    sleep "$patience" &
    wait $!
    waited=$((waited + patience))
  done
}

# --- configuration, as the image will see it: environment over the mounted file
variable() { # property -> name of the environment variable that the image turns into it
  local name=${1//_/__}
  name=${name//-/___}
  name=KAFKA_${name//./_}
  echo "${name^^}"
}
from_file() { # property: its last value in the mounted file
  [ -r "$mounted" ] || return 0
  local pattern=${1//./\\.}
  sed -n "s/^[[:space:]]*${pattern}[[:space:]]*[=:][[:space:]]*//p" "$mounted" | tail -n 1 | tr -d '\r'
}
effective() { # property: the manifest's value, empty if it has none
  local name
  name=$(variable "$1")
  if [ -n "${!name:-}" ]; then echo "${!name}"; else from_file "$1"; fi
}
put() { # property value
  local name
  name=$(variable "$1")
  export "$name=$2"
}

# --- identity
ordinal=${WARDEN_POD##*-}
[[ $ordinal =~ ^[0-9]+$ ]] || fail "the pod's name $WARDEN_POD has no ordinal: only pods of a StatefulSet can be started"
node_id=$((ordinal + WARDEN_ID_OFFSET))
own_id=$(effective node.id)
[ -n "$own_id" ] || own_id=$(effective broker.id)
if [[ $own_id =~ ^[0-9]+$ && ${WARDEN_NODE_ID:-keep} = keep ]]; then node_id=$own_id; fi

voters() {
  local shift=$((node_id - ordinal)) list='' i
  for ((i = WARDEN_FIRST_ORDINAL; i < WARDEN_FIRST_ORDINAL + WARDEN_VOTERS; i++)); do
    list+="${list:+,}$((i + shift))@${WARDEN_POD%-*}-$i.$WARDEN_SERVICE:$WARDEN_CONTROLLER_PORT"
  done
  echo "$list"
}

# --- settings
apply() { # property operator value
  local now
  now=$(effective "$1")
  case $2 in
    '=') [ -z "$now" ] || [ "$now" = "$3" ] || say "setting $1 instead of the manifest's value" ;;
    '?=') [ -z "$now" ] || return 0 ;;
    '>=') if [[ $now =~ ^[0-9]+$ ]] && [ "$now" -ge "$3" ]; then return 0; fi ;;
    '+=')
      local separator=,
      [ "$1" != super.users ] || separator=';'
      case "$separator$now$separator" in *"$separator$3$separator"*) return 0 ;; esac
      put "$1" "${now:+$now$separator}$3"
      return 0
      ;;
  esac
  put "$1" "$3"
}
setting='^([a-z0-9._-]+)([?>+]?=)(.*)$'
while IFS= read -r line; do
  line=${line//@ordinal/$node_id}
  [[ $line != *@voters* ]] || line=${line//@voters/$(voters)}
  case $line in
    '' | '#'*) ;;
    '!'*)
      key=${line#!}
      unset "$(variable "$key")"
      [ -z "$(from_file "$key")" ] || fail "server.properties sets $key, which a hardened broker cannot have: remove that line"
      ;;
    *)
      [[ $line =~ $setting ]] || fail "WARDEN_SETTINGS has a line that is no setting: ${line%%=*}"
      apply "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
      ;;
  esac
done <<<"${WARDEN_SETTINGS:?}"

# --- role: a pod beyond the quorum's voters joins as a broker only
roles=$(from_file process.roles)
case $roles in
  '' | broker,controller | controller,broker) ;;
  *) fail "server.properties sets process.roles=$roles, but this StatefulSet was hardened as brokers that are controllers too: label it kafka-warden.io/ignore=true, or remove that line" ;;
esac
quorum=$(effective controller.quorum.voters)
if [[ ",$quorum" = *",$node_id@"* ]]; then
  entry=${quorum#*"$node_id@"}
  entry=${entry%%,*}
  port=${entry##*:}
  put listeners "$(effective listeners | sed "s#CONTROLLER://:[0-9]*#CONTROLLER://:$port#")"
else
  say "node $node_id is not among the quorum's voters: starting as a broker"
  put process.roles broker
  put listeners "$(effective listeners | sed 's#,*CONTROLLER://:[0-9]*##')"
fi

# --- rack: the zone that the API server copied from the node, or the pod's annotation, or none
rack=${WARDEN_ZONE:-${WARDEN_RACK:-}}
if [ -n "$rack" ]; then
  [ -n "$(effective broker.rack)" ] || put broker.rack "$rack"
elif [ -z "$(effective broker.rack)" ]; then
  unset KAFKA_BROKER_RACK
  say "no rack is known for this node: broker.rack is not set"
fi

# --- volume: an id that the volume has already wins; a lost disk is not formatted silently
log_dirs=$(effective log.dirs)
[ -n "$log_dirs" ] || log_dirs=$(effective log.dir)
found=''
for dir in ${log_dirs//,/ }; do
  [ -f "$dir/meta.properties" ] || continue
  found=$dir/meta.properties
  break
done
cluster_id() { sed -n 's/^[[:space:]]*cluster\.id[[:space:]]*=[[:space:]]*//p' "$found" | tail -n 1 | tr -d '\r' | sed 's/\\//g'; }
if [ -n "$found" ]; then
  id=$(cluster_id)
  if [ -n "$id" ] && [ "$id" != "${CLUSTER_ID:-}" ]; then
    [ -z "${CLUSTER_ID:-}" ] || say "the volume belongs to cluster $id: that id wins over CLUSTER_ID"
    export CLUSTER_ID=$id
  fi
fi
export CLUSTER_ID=${CLUSTER_ID:-$WARDEN_CLUSTER_ID}

stores_ready() { [ -s "$keys/$WARDEN_POD.p12" ] && [ -s "$keys/$WARDEN_POD.controller.p12" ] && [ -s "$keys/nodes.p12" ] && [ -s "$keys/password" ]; }
await "no keystore for $WARDEN_POD yet in the Secret at $keys: the sidecar of this cluster issues it" stores_ready

disk_agreed() { [ -n "$found" ] || [ "${WARDEN_STORAGE:-claim}" = ephemeral ] || [ ! -e "$keys/$WARDEN_POD.formatted" ] || [ -e "$keys/$WARDEN_POD.format-confirmed" ]; }
await "the volume of $WARDEN_POD is empty, but node $node_id had data on another one (claim $(cat "$keys/$WARDEN_POD.formatted" 2>/dev/null)). If that disk is lost for good, annotate the StatefulSet with kafka-warden.io/confirm-empty-disk=$WARDEN_POD" disk_agreed

unset WARDEN_SETTINGS
exec "$entrypoint" ${arguments[@]+"${arguments[@]}"}
