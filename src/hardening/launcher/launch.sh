#!/bin/bash
# kafka-warden's launcher: applies the hardened settings last, decides what only the start can know, and execs the
# image's own entrypoint, which is its first argument. It needs bash and the coreutils that every Kafka image has.
#
#   WARDEN_SETTINGS   a setting a line, in Kafka's own property names:
#                       key=value    always          key?=value   unless the manifest sets it
#                       key>=number  at least        key+=item    appended to the manifest's list
#                       !key         must not be set (removed from the environment)
#   @ordinal, @voters in a value stand for this pod's node id and for the quorum's voters.
set -uf
say() { printf 'kafka-warden: %s\n' "$*"; }
fail() { say "$*" >&2; exit 78; }
trap 'exit 143' TERM INT

keys=${WARDEN_KEYS:-/etc/kafka-warden/keys}
mounted=${WARDEN_MOUNTED_PROPERTIES:-/mnt/shared/config/server.properties}
[ $# -gt 0 ] || fail "nothing to start: the launcher is called with the image's entrypoint"
entrypoint=$1
shift

# Arguments NAME=VALUE are environment to the image and would come after ours: they are taken here.
arguments=()
for argument in "$@"; do
  if [[ $argument =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then export "${argument?}"; else arguments+=("$argument"); fi
done

await() { # message, test command…: until the test holds, saying every ten seconds what is waited for
  local message=$1 next=0
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$next" ]; then say "waiting: $message"; next=$((SECONDS + 10)); fi
    sleep "${WARDEN_POLL_SECONDS:-1}" &
    wait $!
  done
}

# --- configuration, as the image will see it: environment over the mounted file. Values stay as they are written: the image
# copies an environment variable into the file unchanged.
declare -A file=()
read_file() { # java.util.Properties: comments, the separators = : and blanks, lines continued by a backslash
  local line rest='' entry='^([^=:[:space:]]+)[[:space:]]*[=:]?[[:space:]]*(.*)$'
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    line=${line#"${line%%[![:space:]]*}"}
    [ -n "$rest" ] || [[ $line != [#!]* ]] || continue
    line=$rest$line
    rest=''
    if [[ $line =~ (\\+)$ ]] && ((${#BASH_REMATCH[1]} % 2)); then rest=${line%\\}; continue; fi
    if [[ $line =~ $entry ]]; then file[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}; fi
  done <"$mounted"
  if [[ $rest =~ $entry ]]; then file[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}; fi
}
[ ! -r "$mounted" ] || read_file

variable() { # property -> name of the environment variable that the image turns into it, in $REPLY
  REPLY=${1//_/__}
  REPLY=${REPLY//-/___}
  REPLY=KAFKA_${REPLY//./_}
  REPLY=${REPLY^^}
}
effective() { # property: its value, empty if it has none, in $REPLY
  variable "$1"
  REPLY=${!REPLY:-${file[$1]:-}}
}
put() { # property value
  variable "$1"
  export "$REPLY=$2"
}

# --- what the manifest says of roles, read before anything of it is replaced
effective zookeeper.connect
[ -z "$REPLY" ] || fail "zookeeper.connect is set, but this StatefulSet was hardened as KRaft brokers: remove that setting, or label the StatefulSet kafka-warden.io/ignore=true"
effective process.roles
own_roles=${REPLY//[[:space:]]/}

# --- identity: the quorum's entry for this pod, else the manifest's own id where that may be right, else the ordinal
pod=$WARDEN_POD
ordinal=${pod##*-}
[[ $ordinal =~ ^[0-9]+$ ]] || fail "the pod's name $pod has no ordinal: only pods of a StatefulSet can be started"
node_id=$((10#$ordinal + WARDEN_ID_OFFSET))
effective node.id
[ -n "$REPLY" ] || effective broker.id
if [[ $REPLY =~ ^[0-9]+$ && ${WARDEN_NODE_ID:-keep} = keep ]]; then node_id=$((10#$REPLY)); fi
effective controller.quorum.voters
own_quorum=${REPLY//[[:space:]]/}
for entry in ${own_quorum//,/ }; do
  host=${entry#*@}
  if [ "${host%%[.:]*}" = "$pod" ]; then node_id=${entry%%@*}; fi
done
[[ $node_id =~ ^[0-9]+$ ]] || fail "controller.quorum.voters gives $pod the id $node_id, which is not a number"

voters() { # the first pods of this StatefulSet, in $REPLY
  local shift=$((node_id - 10#$ordinal)) i
  REPLY=''
  for ((i = WARDEN_FIRST_ORDINAL; i < WARDEN_FIRST_ORDINAL + WARDEN_VOTERS; i++)); do
    REPLY+="${REPLY:+,}$((i + shift))@${pod%-*}-$i.$WARDEN_SERVICE:$WARDEN_CONTROLLER_PORT"
  done
}
# A quorum on localhost is an example's: every pod would be a cluster of its own.
case $own_quorum in
  *@localhost:* | *@127.0.0.1:* | *@0.0.0.0:*)
    own_quorum=''
    variable controller.quorum.voters
    unset "$REPLY" 'file[controller.quorum.voters]'
    ;;
esac

# --- settings
apply() { # property operator value
  local now value=$3
  effective "$1"
  now=$REPLY
  case $2 in
    '=') [ -z "$now" ] || [ "$now" = "$3" ] || say "setting $1 instead of the manifest's value" ;;
    '?=') value=${now:-$3} ;;
    '>=') if [[ $now =~ ^[0-9]+$ ]] && [ "$now" -ge "$3" ]; then value=$now; fi ;;
    '+=')
      local separator=,
      [ "$1" != super.users ] || separator=';'
      case "$separator$now$separator" in
        *"$separator$3$separator"*) value=$now ;;
        *) value=${now:+$now$separator}$3 ;;
      esac
      ;;
  esac
  # What is kept is exported too: an empty variable would blank out what the mounted file says.
  put "$1" "$value"
}
setting='^([a-z0-9._-]+)([?>+]?=)(.*)$'
while IFS= read -r line; do
  line=${line//@ordinal/$node_id}
  if [[ $line = *@voters* ]]; then voters; line=${line//@voters/$REPLY}; fi
  case $line in
    '' | '#'*) ;;
    '!'*)
      key=${line#!}
      [ -z "${file[$key]:-}" ] || fail "server.properties sets $key, which a hardened broker cannot have: remove that line"
      variable "$key"
      unset "$REPLY"
      ;;
    *)
      [[ $line =~ $setting ]] || fail "WARDEN_SETTINGS has a line that is no setting: ${line%%=*}"
      apply "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
      ;;
  esac
done <<<"${WARDEN_SETTINGS:?}"
# Kafka refuses a broker.id that differs from node.id.
effective broker.id
[ -z "$REPLY" ] || put broker.id "$node_id"

# --- quorum: by the names that the certificates have, whatever form a mounted file uses
quorum=''
port=''
effective controller.quorum.voters
for entry in ${REPLY//,/ }; do
  [[ $entry =~ ^[0-9]+@[^:]+:[0-9]+$ ]] || fail "controller.quorum.voters has an entry that is not ID@HOST:PORT: $entry"
  voter=${entry#*@}
  voter=${voter%%[.:]*}
  [[ ${voter%-*} = "${pod%-*}" && ${voter##*-} =~ ^[0-9]+$ ]] ||
    fail "controller.quorum.voters names $voter, which is no pod of this StatefulSet: write ID@${pod%-*}-ORDINAL.${WARDEN_SERVICE%%.*}:PORT for each voter, or remove it"
  quorum+="${quorum:+,}${entry%%@*}@$voter.$WARDEN_SERVICE:${entry##*:}"
  if [ "$voter" = "$pod" ]; then port=${entry##*:}; fi
done
put controller.quorum.voters "$quorum"

# --- role: a pod beyond the quorum's voters joins as a broker only
effective listeners
own_listeners=''
for listener in ${REPLY//,/ }; do
  case $listener in
    CONTROLLER://*)
      [ -n "$port" ] || continue
      listener=CONTROLLER://:$port
      ;;
    *:"$port") fail "controller.quorum.voters uses port $port, which the listener ${listener%%:*} has: choose another" ;;
  esac
  own_listeners+="${own_listeners:+,}$listener"
done
put listeners "$own_listeners"
case $own_roles in
  '' | broker,controller | controller,broker) ;;
  broker) [ -z "$port" ] || own_roles=other ;;
  *) own_roles=other ;;
esac
[ "$own_roles" != other ] ||
  fail "process.roles is set to something else than broker,controller, as which this StatefulSet was hardened: remove that setting, or label the StatefulSet kafka-warden.io/ignore=true"
if [ -z "$port" ]; then
  say "node $node_id is not among the quorum's voters: starting as a broker"
  put process.roles broker
fi

# --- rack: the zone that the API server copied from the node, or the pod's annotation, or none
rack=${WARDEN_ZONE:-${WARDEN_RACK:-}}
effective broker.rack
if [ -z "$REPLY" ]; then
  unset KAFKA_BROKER_RACK
  if [ -n "$rack" ]; then put broker.rack "$rack"; else say "no rack is known for this node: broker.rack is not set"; fi
fi

# --- volume: an id that the volume has already wins; a lost disk is not formatted silently
effective log.dirs
[ -n "$REPLY" ] || effective log.dir
found=''
IFS=, read -ra directories <<<"$REPLY"
for directory in ${directories[@]+"${directories[@]}"}; do
  directory=${directory#"${directory%%[![:space:]]*}"}
  directory=${directory%"${directory##*[![:space:]]}"}
  if [ -f "$directory/meta.properties" ]; then found=$directory/meta.properties; break; fi
done
if [ -n "$found" ]; then
  id=$(sed -n 's/^[[:space:]]*cluster\.id[[:space:]]*[=:][[:space:]]*//p' "$found" | tail -n 1 | tr -d '\015\134')
  if [ -n "$id" ] && [ "$id" != "${CLUSTER_ID:-}" ]; then
    [ -z "${CLUSTER_ID:-}" ] || say "the volume belongs to cluster $id: that id wins over CLUSTER_ID"
    export CLUSTER_ID=$id
  fi
fi
export CLUSTER_ID=${CLUSTER_ID:-$WARDEN_CLUSTER_ID}

stores_ready() { [ -s "$keys/$pod.p12" ] && [ -s "$keys/$pod.controller.p12" ] && [ -s "$keys/nodes.p12" ] && [ -s "$keys/password" ]; }
await "no keystore for $pod yet in the Secret at $keys: the sidecar of this cluster issues it" stores_ready

disk_agreed() { [ -n "$found" ] || [ "${WARDEN_STORAGE:-claim}" = ephemeral ] || [ ! -e "$keys/$pod.formatted" ] || [ -e "$keys/$pod.format-confirmed" ]; }
claim=$(cat "$keys/$pod.formatted" 2>/dev/null)
await "the volume of $pod is empty, but node $node_id had data on another one (claim $claim). If that disk is lost for good, annotate the StatefulSet with kafka-warden.io/confirm-empty-disk=$pod" disk_agreed

unset WARDEN_SETTINGS
exec "$entrypoint" ${arguments[@]+"${arguments[@]}"}
