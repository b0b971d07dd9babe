#!/bin/bash
# kafka-warden's launcher, generation 4: applies the hardened settings last, decides what only the start can know, and execs
# what the manifest or the image would have started. It needs bash 4.2 and the coreutils that every Kafka image has.
#
#   launch PROGRAM ARGUMENTS…            start a node
#   launch --format PROGRAM ARGUMENTS…   the manifest's own kafka-storage call: keeps its cluster id, formats nothing
#   launch --format-anew …               the same where each pod draws an id at random: it is not kept
#   launch --script FILE ARGUMENTS…      a start script that admission could not see: runs a copy that calls the launcher
#
#   WARDEN_SETTINGS   a setting a line, in Kafka's own property names:
#                       key=value    always          key?=value   unless the manifest sets it
#                       key>=number  at least        key+=item    appended to the manifest's list
#                       !key         must not be set
#                     A line that begins with "@role,role " counts for those roles only. In values, @ordinal stands for the
#                     node id, @voters for the quorum, @rf and @minisr for the replication that the cluster's size allows.
#   WARDEN_ROLE       combined, broker, controller, zookeeper (a broker of a ZooKeeper cluster), or unseen: decided here
#   WARDEN_DIALECT    how PROGRAM takes its configuration: apache, confluent, bitnami, plain
#   WARDEN_FACTS      none, use or need: what the cluster's other StatefulSets settle, from cluster.properties beside the keys
#
# Values are kept as properties files have them, escapes included: the images copy a variable into the file unchanged.
# Where it stands behind an interpreter in the manifest's command, that may be another shell, or have options of its own.
[ -n "${BASH_VERSION:-}" ] || exec /bin/bash "$0" "$@"
set +e +o posix -uf
say() { printf 'kafka-warden: %s\n' "$*"; }
fail() { say "$*" >&2; exit 78; }
trap 'exit 143' TERM INT

keys=${WARDEN_KEYS:-/etc/kafka-warden/keys}
run=${WARDEN_RUN:-/etc/kafka-warden/run}
controller=${WARDEN_CONTROLLER_LISTENER:-CONTROLLER}
opt_out="label the StatefulSet kafka-warden.io/ignore=true"

await() { # message, test command…: until the test holds, saying every ten seconds what is waited for
  local message=$1 next=0
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$next" ]; then say "waiting: $message"; next=$((SECONDS + 10)); fi
    sleep "${WARDEN_POLL_SECONDS:-1}" &
    wait $!
  done
}
write() { # file: from standard input, whole or not at all
  (umask 077 && cat >"$1.new" && mv -f "$1.new" "$1") 2>/dev/null ||
    fail "$1 cannot be written: $run must be an emptyDir that this container may write to"
}

# --- the manifest's own formatting
keep_cluster_id() { # arguments of kafka-storage format
  local id=''
  while [ $# -gt 0 ]; do
    case $1 in
      -t | --cluster-id) id=${2:-} ;;
      --cluster-id=*) id=${1#*=} ;;
      -t?*) id=${1#-t} ;;
    esac
    shift
  done
  if [ -n "$id" ] && ! (printf '%s\n' "$id" | write "$run/cluster.id") 2>/dev/null; then id=''; fi
  say "storage is formatted when the node starts, with its final configuration${id:+ and the cluster id $id}"
}

# --- a start script: the launcher goes before the programs that start Kafka, and before kafka-storage
programs='([^[:space:];&|()<>`]*/)?kafka-server-start(\.sh)?|/etc/(kafka|confluent)/docker/run|(/opt/bitnami/scripts/kafka)?/(entrypoint|run)\.sh'
shell='([^[:space:]]*/)?(ba|da|a)?sh'
assignment='[A-Za-z_][A-Za-z0-9_]*=("[^"]*"|'\''[^'\'']*'\''|[^[:space:];]*)'
prefix="(exec|then|do|else|env|nohup|setsid|command|tini|--|!|\\{|(gosu|su-exec)[[:space:]]+[^[:space:]]+|$assignment|$shell)[[:space:]]+"
lead="((^|[;&|(\`])[[:space:]]*($prefix)*)[\"']?"
starts="$lead($programs)[\"']?([[:space:];&|)]|\$)"
formats="$lead([^[:space:];&|()<>\`]*/)?kafka-storage(\\.sh)?[\"']?([[:space:]]|\$)"
hides="(^|[;&|(\`])[[:space:]]*($prefix)*(\\.|source|eval|su|sudo|runuser|xargs|timeout|${shell}[[:space:]]+-[a-z]*c)[[:space:]]([^;&|]*[[:space:]\"'])?($programs)([[:space:];&|)\"']|\$)"
through="^(.*[[:space:];&|(\`])?${shell}[[:space:]]+\$"
document='(^|[^<])<<-?[[:space:]]*["'\''\\]?([A-Za-z_][A-Za-z0-9_]*)'
code_of() { # line: without a comment, in $REPLY
  REPLY=" $1"
  REPLY=${REPLY%%[[:space:]]#*}
  REPLY=${REPLY# }
}
put_launcher() { # line, pattern, option: the line with the launcher before the program, instead of a shell for it, in $REPLY
  local call before
  code_of "$1"
  [[ $REPLY =~ $2 ]] || return 1
  call=${BASH_REMATCH[0]} before=${BASH_REMATCH[1]}
  REPLY=${call#"$before"}
  if [[ $before =~ $through ]]; then before=${BASH_REMATCH[1]}; fi
  REPLY="${1%%"$call"*}$before/bin/bash $0 $3$REPLY${1#*"$call"}"
}
wrap() { # file: its text with the launcher's calls, to standard output
  local line end='' number=0 found=''
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    if [ -n "$end" ]; then
      [ "${line#"${line%%[!$'\t']*}"}" != "$end" ] || end=''
    else
      code_of "$line"
      if [[ $REPLY =~ $document ]]; then end=${BASH_REMATCH[2]}; fi
      [[ ! $REPLY =~ $hides ]] || fail "line $number of $1 starts Kafka through another command, where the launcher cannot be put: call the program itself, best by exec"
      while put_launcher "$line" "$formats" '--format '; do line=$REPLY; done
      while put_launcher "$line" "$starts" ''; do line=$REPLY found=yes; done
    fi
    printf '%s\n' "$line"
  done <"$1"
  [ -n "$found" ] || fail "$1 calls none of the programs that start Kafka (kafka-server-start, or the image's own entrypoint) as a command of its own: call one, best by exec"
}
run_script() { # file argument…: by the shell that it names; its $0 stays what it was
  local file=$1 first='' interpreter=/bin/bash copy
  shift
  [ -r "$file" ] || fail "$file cannot be read: this container is started by it"
  IFS= read -r first <"$file"
  if [[ $first =~ ^#![[:space:]]*(/usr/bin/env[[:space:]]+)?(.*)$ ]]; then interpreter=${BASH_REMATCH[2]%$'\r'}; fi
  [[ $interpreter =~ ^$shell([[:space:]]|$) ]] || fail "$file is a script for $interpreter: only those for sh and bash can be followed"
  copy=$(wrap "$file") || exit
  printf '%s\n' "$copy" | write "$run/script" || exit
  # shellcheck disable=SC2086 # the interpreter's line may have an option
  exec $interpreter -c ". '$run/script'" "$file" "$@"
}
case ${1:-} in
  --format | --format-anew)
    [ "${3:-}" = format ] || { shift; exec "$@"; }
    # An id that every pod draws for itself is no cluster's.
    if [ "$1" = --format-anew ]; then set --; else shift 3; fi
    keep_cluster_id "$@"
    exit
    ;;
  --script) shift; run_script "$@" ;;
esac

[ -n "${1:-}" ] || fail "nothing to start: the launcher is called with the image's entrypoint"
program=$1
shift

# --- how the program takes its configuration
tool=kafka-storage
case ${program##*/}:${WARDEN_DIALECT:-apache} in
  kafka-server-start:* | kafka-server-start.sh:*)
    dialect=plain
    tool=${program%kafka-server-start*}kafka-storage
    [[ $program != *.sh ]] || tool+=.sh
    ;;
  *:apache | *:confluent | *:bitnami) dialect=${WARDEN_DIALECT:-apache} ;;
  *) fail "$program is none of the programs that the launcher knows to start, which is kafka-server-start with a file" ;;
esac
bitnami=${WARDEN_BITNAMI:-/opt/bitnami}/kafka

# --- configuration, as the program will see it: what it finds in a file, under what stands in the environment
declare -A parsed=() given=() ours=() gone=() facts=()
entry='^(([^=:[:space:]\\]|\\.)+)[[:space:]]*[=:]?[[:space:]]*(.*)$'
parse() { # file, into parsed. java.util.Properties: comments, the separators = : and blanks, lines continued by a backslash
  local line rest=''
  parsed=()
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    line=${line#"${line%%[![:space:]]*}"}
    [ -n "$rest" ] || [[ $line != [#!]* ]] || continue
    line=$rest$line
    rest=''
    if [[ $line =~ (\\+)$ ]] && ((${#BASH_REMATCH[1]} % 2)); then rest=${line%\\}; continue; fi
    if [[ $line =~ $entry ]]; then parsed[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}; fi
  done <"$1"
  if [[ $rest =~ $entry ]]; then parsed[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}; fi
}
adopt() { # file: as what the manifest gives
  local key
  parse "$1"
  for key in "${!parsed[@]}"; do given[$key]=${parsed[$key]}; done
}
override() { # key=value of an argument, which has no escapes: it gets those that a file needs
  [[ $1 = *=* ]] || fail "the argument --override $1 is no key=value"
  local value=${1#*=}
  value=${value//\\/\\\\}
  value=${value//$'\n'/\\n}
  [[ $value != ' '* ]] || value=\\$value
  given[${1%%=*}]=$value
}
variable() { # property -> name of the environment variable that the image turns into it, in $REPLY
  REPLY=${1//_/__}
  REPLY=${REPLY//-/___}
  REPLY=KAFKA_${REPLY//./_}
  REPLY=${REPLY^^}
}
effective() { # property: its value, empty if it has none, in $REPLY
  if [ -n "${gone[$1]:-}" ]; then REPLY=''; return; fi
  if [ -n "${ours[$1]+set}" ]; then REPLY=${ours[$1]}; return; fi
  REPLY=${given[$1]:-}
  [ "$output" = environment ] || return 0
  local in_file=$REPLY
  variable "$1"
  REPLY=${!REPLY:-$in_file}
}
put() { ours[$1]=$2; gone[$1]=''; }
drop() { gone[$1]=yes; }

arguments=()
read_environment() { # arguments NAME=VALUE are environment to the images and would come after ours: they are taken here
  local mounted=${WARDEN_MOUNTED_PROPERTIES:-/mnt/shared/config/server.properties} argument
  for argument in "$@"; do
    if [[ $argument =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then export "${argument?}"; else arguments+=("$argument"); fi
  done
  if [ "$dialect" = apache ] && [ -r "$mounted" ]; then adopt "$mounted"; fi
}
read_overrides() { # arguments of kafka-server-start behind its file
  while [ $# -gt 0 ]; do
    case $1 in
      --override) shift; override "${1:-}" ;;
      --override=*) override "${1#*=}" ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
}
read_start() { # [-daemon] FILE [--override key=value]…: a daemon would leave the container
  [ "${1:-}" != -daemon ] || shift
  [ -n "${1:-}" ] || fail "$program is started without a properties file"
  [ -r "$1" ] || fail "$1 cannot be read: $program is told to start with it"
  adopt "$1"
  shift
  read_overrides "$@"
}
# Bitnami (libkafka.sh, setup.sh): a complete file in the image's own directory is taken as it is, else one from the mounted
# directory, else KAFKA_CFG_ variables, over which the older names without CFG_ win.
aliases="ADVERTISED_LISTENERS BROKER_ID NODE_ID CONTROLLER_QUORUM_VOTERS CONTROLLER_QUORUM_BOOTSTRAP_SERVERS PROCESS_ROLES
  DEFAULT_REPLICATION_FACTOR DELETE_TOPIC_ENABLE INTER_BROKER_LISTENER_NAME LISTENERS LISTENER_SECURITY_PROTOCOL_MAP LOG_DIRS
  LOG_FLUSH_INTERVAL_MESSAGES LOG_FLUSH_INTERVAL_MS LOG_MESSAGE_FORMAT_VERSION LOG_RETENTION_BYTES
  LOG_RETENTION_CHECK_INTERVALS_MS LOG_RETENTION_HOURS LOG_SEGMENT_BYTES MESSAGE_MAX_BYTES NUM_IO_THREADS NUM_NETWORK_THREADS
  NUM_PARTITIONS NUM_RECOVERY_THREADS_PER_DATA_DIR OFFSETS_TOPIC_REPLICATION_FACTOR SOCKET_RECEIVE_BUFFER_BYTES
  SOCKET_REQUEST_MAX_BYTES SOCKET_SEND_BUFFER_BYTES SSL_ENDPOINT_IDENTIFICATION_ALGORITHM TRANSACTION_STATE_LOG_MIN_ISR
  TRANSACTION_STATE_LOG_REPLICATION_FACTOR ZOOKEEPER_CONNECT ZOOKEEPER_CONNECTION_TIMEOUT_MS AUTO_CREATE_TOPICS_ENABLE
  LOG_DIRS=LOGS_DIRS LOG_SEGMENT_BYTES=SEGMENT_BYTES MESSAGE_MAX_BYTES=MAX_MESSAGE_BYTES
  ZOOKEEPER_CONNECTION_TIMEOUT_MS=ZOOKEEPER_CONNECT_TIMEOUT_MS"
read_bitnami_variables() {
  local name key command
  [ "${KAFKA_ZOOKEEPER_PROTOCOL:-PLAINTEXT}" = PLAINTEXT ] ||
    fail "KAFKA_ZOOKEEPER_PROTOCOL is $KAFKA_ZOOKEEPER_PROTOCOL, which the image turns into settings that are not known here: write them as KAFKA_CFG_ZOOKEEPER_… and remove it"
  for name in $aliases; do
    key=KAFKA_${name#*=}
    [ -z "${!key+set}" ] || export "KAFKA_CFG_${name%%=*}=${!key}"
  done
  for name in NODE_ID BROKER_ID CONTROLLER_QUORUM_VOTERS; do
    command=KAFKA_${name}_COMMAND
    [ -z "${!command:-}" ] || export "KAFKA_CFG_$name=$(eval "${!command}")"
  done
  for name in "${!KAFKA_CFG_@}"; do
    key=${name#KAFKA_CFG_}
    key=${key//_/.}
    key=${key,,}
    key=${key//sasl.ssl/sasl_ssl}
    key=${key//sasl.plaintext/sasl_plaintext}
    [ "$key" != zookeeper.clientcnxnsocket ] || key=zookeeper.clientCnxnSocket
    given[$key]=${!name}
  done
}
read_bitnami() {
  local mounted=${KAFKA_MOUNTED_CONF_DIR:-/bitnami/kafka/config} own=$bitnami/config/server.properties first=''
  tool=$bitnami/bin/kafka-storage.sh
  [ ! -f "$own" ] || IFS= read -r first <"$own"
  if [ "$first" = "$mark" ] && [ -r "$run/before" ]; then
    adopt "$run/before"
  elif [ -f "$own" ] && [ "$first" != "$mark" ]; then
    adopt "$own"
    write "$run/before" <"$own"
  elif [ -f "$mounted/server.properties" ]; then
    (set +f && cp -Lr "$mounted"/* "$bitnami/config") || fail "$bitnami/config cannot be written: mount an emptyDir there that has the image's own files"
    adopt "$mounted/server.properties"
  else
    read_bitnami_variables
  fi
  # shellcheck disable=SC2086 # flags, as the image gives them to kafka-server-start
  read_overrides "$@" ${KAFKA_EXTRA_FLAGS:-}
  unset KAFKA_EXTRA_FLAGS
  CLUSTER_ID=${KAFKA_CLUSTER_ID:-${KAFKA_KRAFT_CLUSTER_ID:-${CLUSTER_ID:-}}}
}
mark='# Written by kafka-warden at each start: changes belong into the manifest.'
output='file'
case $dialect in
  plain) read_start "$@" ;;
  bitnami) read_bitnami "$@" ;;
  *) output=environment; read_environment "$@" ;;
esac

# Where an image has a directory of its own and data lies there, that is where the manifest has it.
case $dialect in
  confluent) usual=${WARDEN_USUAL_DATA:-/var/lib/kafka/data} ;;
  bitnami) usual=${WARDEN_USUAL_DATA:-/bitnami/kafka/data} ;;
  *) usual='' ;;
esac
[ -z "$usual" ] || [ ! -f "$usual/meta.properties" ] || given[log.dirs]=${given[log.dirs]:-$usual}
# The older name of the same.
effective log.dirs
if [ -z "$REPLY" ]; then effective log.dir; given[log.dirs]=$REPLY; fi

# --- security that admission could not see: half of one set-up and half of another is none
store_keys='^(listener\.name\..+\.)?(ssl\.(keystore|truststore|key|engine)\..+|sasl\.jaas\.config)$|^(authorizer\.class\.name|principal\.builder\.class)$'
# What admission sees in the environment is left alone as a whole: what it could not see there, by envFrom, is the same.
security_keys='^(listener\.name\..+\.)?(ssl|sasl)\.|^(security\.protocols|authorizer\.class\.name|principal\.builder\.class)$'
bitnami_secrets='^KAFKA_(CERTIFICATE_PASSWORD|CLIENT_PASSWORDS|(INTER_BROKER|CONTROLLER|ZOOKEEPER)_PASSWORD|TLS_TRUSTSTORE_FILE)$'
property() { # name of a variable of the apache and Confluent images -> its property, in $REPLY
  REPLY=${1#KAFKA_}
  REPLY=${REPLY,,}
  REPLY=${REPLY//___/-}
  REPLY=${REPLY//__/%}
  REPLY=${REPLY//_/.}
  REPLY=${REPLY//%/_}
}
is_off() { # value that switches nothing on; `bitnami` is what Bitnami's own scripts give every password
  case ${1,,} in '' | none | plaintext | bitnami) ;; *) return 1 ;; esac
}
own_security() { # what is set that a hardened node has from kafka-warden, in $REPLY
  local key
  for key in "${!given[@]}"; do
    REPLY=$key
    [[ ! $key =~ $store_keys ]] || [ -z "${given[$key]}" ] || return 0
  done
  for REPLY in ${!KAFKA_@}; do
    case $dialect in
      bitnami) [[ $REPLY =~ $bitnami_secrets ]] || continue ;;
      plain) continue ;;
      *)
        key=$REPLY
        property "$key"
        if [[ ! $REPLY =~ $security_keys ]]; then continue; fi
        REPLY=$key
        ;;
    esac
    is_off "${!REPLY}" || return 0
  done
  REPLY='a JAAS file in KAFKA_OPTS'
  [[ ${KAFKA_OPTS:-} == *java.security.auth.login.config* ]]
}
if own_security; then
  fail "the configuration sets $REPLY: a set with TLS, SASL or an authorizer of its own is not hardened half; remove its security settings, or $opt_out"
fi

# --- role: the manifest's, or what its configuration says, before anything of it is replaced
effective zookeeper.connect
zookeeper=$REPLY
effective process.roles
own_roles=${REPLY//[[:space:]]/}
[ "$own_roles" != controller,broker ] || own_roles=broker,controller
role=${WARDEN_ROLE:-combined}
if [ "$role" = unseen ]; then
  case $own_roles in
    '') role=combined; [ -z "$zookeeper" ] || role=zookeeper ;;
    broker,controller) role=combined ;;
    *) fail "process.roles is $own_roles, which admission could not see: annotate the StatefulSet kafka-warden.io/role=$own_roles and kafka-warden.io/cluster=CLUSTER, the same for brokers and controllers" ;;
  esac
fi
effective controller.quorum.voters
own_quorum=${REPLY//[[:space:]]/}
# A quorum on localhost is an example's: every pod would be a cluster of its own.
case $own_quorum in
  *@localhost:* | *@127.0.0.1:* | *@0.0.0.0:*) own_quorum=''; drop controller.quorum.voters ;;
esac
kraft=yes
case $role in
  zookeeper)
    kraft=''
    [ -n "$zookeeper" ] || fail "zookeeper.connect is not set, but this StatefulSet was hardened as brokers of a ZooKeeper cluster: set it, or remove the annotation kafka-warden.io/role"
    [ -z "$own_roles" ] || fail "process.roles is set, but this StatefulSet was hardened as brokers of a ZooKeeper cluster: remove that setting, or $opt_out"
    ;;
  combined) hardened_as='KRaft brokers' ;;
  broker | controller) hardened_as="KRaft ${role}s" ;;
  *) fail "WARDEN_ROLE is $role, which is no role" ;;
esac
[ -z "$kraft" ] || [ -z "$zookeeper" ] ||
  fail "zookeeper.connect is set, but this StatefulSet was hardened as $hardened_as: remove that setting, or $opt_out"

# --- facts: what the cluster's other StatefulSets settle
read_facts() { # true once the quorum is known
  local key
  [ -r "$keys/cluster.properties" ] || return 1
  parse "$keys/cluster.properties"
  for key in "${!parsed[@]}"; do facts[$key]=${parsed[$key]}; done
  [ -n "${facts[voters]:-}" ]
}
asked=${WARDEN_FACTS:-none}
if [ "$asked" = use ] && [ "$role" = broker ] && [ -z "$own_quorum" ]; then asked=need; fi
case $asked:$kraft in
  need:yes) await "the quorum's voters are not known yet: they come from the controllers' StatefulSet of cluster ${WARDEN_CLUSTER:-}, which must be there and hardened" read_facts ;;
  use:* | need:*) read_facts || true ;;
esac

# --- identity: the quorum's entry for this pod, else the manifest's own id where that may be right, else the ordinal
pod=$WARDEN_POD
ordinal=${pod##*-}
[[ $ordinal =~ ^[0-9]+$ ]] || fail "the pod's name $pod has no ordinal: only pods of a StatefulSet can be started"
node_id=$((10#$ordinal + WARDEN_ID_OFFSET))
effective node.id
[ -n "$REPLY" ] || effective broker.id
if [[ $REPLY =~ ^[0-9]+$ && ${WARDEN_NODE_ID:-keep} = keep ]]; then node_id=$((10#$REPLY)); fi
id_among() { # voters: the id that they give to this pod, in $REPLY, empty if none
  local voter host
  REPLY=''
  for voter in ${1//,/ }; do
    host=${voter#*@}
    if [ "${host%%[.:]*}" = "$pod" ]; then REPLY=${voter%%@*}; fi
  done
}
id_among "$own_quorum"
node_id=${REPLY:-$node_id}
[[ $node_id =~ ^[0-9]+$ ]] || fail "controller.quorum.voters gives $pod the id $node_id, which is not a number"
known_voters=${facts[voters]:-}
id_among "$known_voters"
if [ -n "$REPLY" ] && [ "$REPLY" != "$node_id" ]; then
  if [ "$asked" = need ]; then
    say "the cluster knows $pod as node $REPLY: that id is taken instead of $node_id"
    node_id=$REPLY
  else
    say "the cluster's other StatefulSets know $pod as node $REPLY, but it is $node_id: annotate its StatefulSet kafka-warden.io/id-offset=$((node_id - 10#$ordinal))"
    known_voters=''
  fi
fi

own_voters() { # the first pods of this StatefulSet, in $REPLY
  local shift=$((node_id - 10#$ordinal)) i
  REPLY=''
  for ((i = WARDEN_FIRST_ORDINAL; i < WARDEN_FIRST_ORDINAL + WARDEN_VOTERS; i++)); do
    REPLY+="${REPLY:+,}$((i + shift))@${pod%-*}-$i.$WARDEN_SERVICE:$WARDEN_CONTROLLER_PORT"
  done
}
own_voters
voters=${known_voters:-${REPLY:-$own_quorum}}

# --- settings
effective advertised.listeners
own_advertised=$REPLY
effective listeners
own_listeners=$REPLY
effective inter.broker.listener.name
between_brokers=$REPLY
effective controller.listener.names
own_controllers=${REPLY:-CONTROLLER}
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
must_not_be_set() { # property
  [ "$output" = file ] || [ -z "${given[$1]:-}" ] ||
    fail "server.properties sets $1, which a hardened broker cannot have: remove that line"
  drop "$1"
}
expand() { # line: with its tokens replaced, in $REPLY
  REPLY=${1//@ordinal/$node_id}
  REPLY=${REPLY//@voters/$voters}
  REPLY=${REPLY//@rf/${facts[replication.factor]:-${WARDEN_RF:-1}}}
  REPLY=${REPLY//@minisr/${facts[min.insync.replicas]:-${WARDEN_MIN_ISR:-1}}}
}
guard='^@([a-z,]+)[[:space:]]+(.*)$'
setting='^([a-zA-Z0-9._-]+)([?>+]?=)(.*)$'
# No here-document: older bashes need a temporary file for one, which a read-only file system does not give.
while IFS= read -r line; do
  if [[ $line =~ $guard ]]; then
    line=${BASH_REMATCH[2]}
    [[ ,${BASH_REMATCH[1]}, = *",$role,"* ]] || continue
  fi
  case $line in
    '' | '#'*) ;;
    '!'*) must_not_be_set "${line#!}" ;;
    *)
      [[ $line =~ $setting ]] || fail "WARDEN_SETTINGS has a line that is no setting: ${line%%=*}"
      key=${BASH_REMATCH[1]} operator=${BASH_REMATCH[2]}
      expand "${BASH_REMATCH[3]}"
      apply "$key" "$operator" "$REPLY"
      ;;
  esac
done < <(printf '%s\n' "${WARDEN_SETTINGS:?}")
[ ${#ours[@]} -gt 0 ] || fail "WARDEN_SETTINGS could not be read"

# --- quorum: by the names that the certificates have, whatever form a file uses
quorum=''
port=''
place_voter() { # voter: into the quorum, as the pod that it names
  local voter=$1 host=${1#*@}
  [[ $1 =~ ^[0-9]+@[^:]+:[0-9]+$ ]] || fail "controller.quorum.voters has an entry that is not ID@HOST:PORT: $1"
  host=${host%%[.:]*}
  if [[ ${host%-*} = "${pod%-*}" && ${host##*-} =~ ^[0-9]+$ ]]; then
    voter=${1%%@*}@$host.$WARDEN_SERVICE:${1##*:}
  elif [ -z "$known_voters" ] && [ "$role" != broker ]; then
    fail "controller.quorum.voters names $host, which is no pod of this StatefulSet: write ID@${pod%-*}-ORDINAL.${WARDEN_SERVICE%%.*}:PORT for each voter, or remove it"
  fi
  quorum+="${quorum:+,}$voter"
  if [ "$host" = "$pod" ]; then port=${1##*:}; fi
}
settle_quorum() {
  local voter
  [ -z "$known_voters" ] || put controller.quorum.voters "$known_voters"
  effective controller.quorum.voters
  REPLY=${REPLY:-$voters}
  for voter in ${REPLY//,/ }; do place_voter "$voter"; done
  [ -n "$quorum" ] || fail "no controllers are known: name them in controller.quorum.voters, or annotate this StatefulSet and the controllers' with the same kafka-warden.io/cluster"
  put controller.quorum.voters "$quorum"
  drop controller.quorum.bootstrap.servers
}

# --- role: a pod beyond the quorum's voters joins as a broker only
settle_roles() {
  local hardened=$role refused='' roles
  [ "$role" != combined ] || hardened=broker,controller
  roles=$hardened
  case $role in
    controller)
      [ -n "$port" ] || fail "node $node_id is not among the quorum's voters, which are fixed when a cluster is created: scale the controllers back to ${WARDEN_VOTERS}"
      ;;
    broker)
      [ -z "$port" ] || fail "controller.quorum.voters names $pod, but this StatefulSet was hardened as brokers only: annotate it kafka-warden.io/role=combined, or name the controllers"
      ;;
    combined)
      if [ -z "$port" ]; then
        roles=broker
        say "node $node_id is not among the quorum's voters: starting as a broker"
      fi
      ;;
  esac
  case $own_roles in
    '' | "$roles") ;;
    broker,controller) [ "$role" = combined ] || refused=yes ;;
    *) refused=yes ;;
  esac
  [ -z "$refused" ] ||
    fail "process.roles is set to something else than $hardened, as which this StatefulSet was hardened: remove that setting, or $opt_out"
  put process.roles "$roles"
}

settle_listeners() { # the controllers' listener where this node is one, the others where it serves clients
  local listener kept=''
  effective listeners
  [ "$role" != controller ] || REPLY=''
  for listener in ${REPLY//,/ }; do
    case $listener in
      "$controller"://*) continue ;;
      *:"$port") fail "controller.quorum.voters uses port $port, which the listener ${listener%%:*} has: choose another" ;;
    esac
    kept+="${kept:+,}$listener"
  done
  [ -z "$port" ] || kept+="${kept:+,}$controller://:$port"
  put listeners "$kept"
}
external() { # NAME=FROM:PORT: the listener NAME, advertised where the manifest advertises its listener FROM
  local name=${1%%=*} from=${1#*=} listener advertised='^([^:]+)://(.*):([0-9]+)$' host='' at
  at=${from##*:}
  from=${from%:*}
  for listener in ${own_advertised//,/ }; do
    if [[ $listener =~ $advertised && ${BASH_REMATCH[1]} = "$from" ]]; then
      host=${BASH_REMATCH[2]:-$pod.$WARDEN_SERVICE}:${BASH_REMATCH[3]}
    fi
  done
  if [ -z "$host" ]; then
    host=$pod.$WARDEN_SERVICE:$at
    say "the listener $from is not advertised anywhere: $name is advertised as $host"
  fi
  append listeners "$name" "://:$at"
  append advertised.listeners "$name" "://$host"
  append listener.security.protocol.map "$name" ":SASL_SSL"
}
append() { # property name rest: name and rest to a list, unless the name is there
  effective "$1"
  case ",$REPLY" in *",$2:"*) ;; *) put "$1" "${REPLY:+$REPLY,}$2$3" ;; esac
}

if [ -n "$kraft" ]; then
  settle_quorum
  settle_roles
  put controller.listener.names "$controller"
  settle_listeners
else
  for key in process.roles controller.quorum.voters controller.quorum.bootstrap.servers controller.listener.names node.id; do drop "$key"; done
  settle_listeners
fi
settle_controller() { # nothing is advertised; a listener for brokers must be in the map, though there is none
  drop advertised.listeners
  effective inter.broker.listener.name
  [ -n "$REPLY" ] || return 0
  put inter.broker.listener.name INTERNAL
  append listener.security.protocol.map INTERNAL :SSL
}
if [ "$role" = controller ]; then settle_controller; else
  for listener in ${WARDEN_EXTERNAL:-}; do external "$listener"; done
fi

# A listener that admission could not see is closed, not kept: nobody has said what secures it, and no certificate carries its address.
told_listeners() {
  local listener name port served
  effective listeners
  served=,$REPLY,
  for listener in ${own_listeners//,/ }; do
    name=${listener%%:*} port=${listener##*:}
    case ,$own_controllers,$between_brokers, in *",$name,"*) continue ;; esac
    case $served in *":$port,"*) continue ;; esac
    say "the listener $name on port $port is closed: admission could not see it. Where the manifest shows it (listeners and advertised.listeners as variables of this container), it is kept, with TLS and SASL"
  done
}
[ "$role" = controller ] || told_listeners

# --- rack: the pod's annotation, or the zone that the API server copied from the node, or none
settle_rack() {
  local rack=${WARDEN_RACK:-${WARDEN_ZONE:-}}
  effective broker.rack
  [ -z "$REPLY" ] || return 0
  drop broker.rack
  # In ZooKeeper mode one broker whose rack is not known keeps every topic from being created.
  [ -n "$kraft" ] || return 0
  if [ -n "$rack" ]; then put broker.rack "$rack"; else say "no rack is known for this node: broker.rack is not set"; fi
}
[ "$role" = controller ] || settle_rack

# --- volume: an id that the volume has already wins; a lost disk is not formatted silently
found=''
on_volumes() { # comma-separated directories: those that lie on no volume of the set go with the pod, in $REPLY
  local directory volume list='' kept IFS=,
  for directory in $1; do
    kept=''
    [ ! -f "$directory/meta.properties" ] || kept=yes
    IFS=' '
    for volume in $WARDEN_VOLUMES; do case $directory/ in "$volume"/*) kept=yes ;; esac; done
    IFS=,
    if [ -z "$kept" ]; then
      volume=${WARDEN_VOLUMES%% *}
      say "$directory is on no volume of this StatefulSet: $volume/kafka is used"
      directory=$volume/kafka
    fi
    case ,$list, in *,"$directory",*) ;; *) list+="${list:+,}$directory" ;; esac
  done
  REPLY=$list
}
below_mount_points() { # comma-separated directories: a disk's lost+found is no log directory of Kafka's, in $REPLY
  local directory list='' IFS=,
  for directory in $1; do
    if [ -d "$directory/lost+found" ] && [ ! -f "$directory/meta.properties" ]; then
      say "$directory is the root of a disk (it has a lost+found, with which Kafka does not start): $directory/kafka is used"
      directory=${directory%/}/kafka
    fi
    list+="${list:+,}$directory"
  done
  REPLY=$list
}
find_meta() { # comma-separated directories
  local directory IFS=,
  for directory in $1; do
    directory=${directory#"${directory%%[![:space:]]*}"}
    directory=${directory%"${directory##*[![:space:]]}"}
    if [ -z "$found" ] && [ -f "$directory/meta.properties" ]; then found=$directory/meta.properties; fi
  done
}
stored() { # property: what the volume has for it, in $REPLY
  REPLY=''
  [ -n "$found" ] || return 0
  parse "$found"
  REPLY=${parsed[$1]:-}
  REPLY=${REPLY//\\/}
}
effective log.dirs
[ -z "${WARDEN_VOLUMES:-}" ] || [ -z "$REPLY" ] || on_volumes "$REPLY"
below_mount_points "$REPLY"
[ -z "$REPLY" ] || put log.dirs "$REPLY"
find_meta "$REPLY"
effective metadata.log.dir
find_meta "$REPLY"

settle_cluster_id() {
  if [ -r "$run/cluster.id" ]; then read -r CLUSTER_ID <"$run/cluster.id"; fi
  stored cluster.id
  if [ -n "$REPLY" ] && [ "$REPLY" != "${CLUSTER_ID:-}" ]; then
    [ -z "${CLUSTER_ID:-}" ] || say "the volume belongs to cluster $REPLY: that id wins over CLUSTER_ID"
    CLUSTER_ID=$REPLY
  fi
  CLUSTER_ID=${CLUSTER_ID:-${facts[cluster.id]:-$WARDEN_CLUSTER_ID}}
  export CLUSTER_ID
}
if [ -n "$kraft" ]; then
  settle_cluster_id
  stored node.id
  [ -z "$REPLY" ] || [ "$REPLY" = "$node_id" ] ||
    fail "the volume belongs to node $REPLY, but $pod is node $node_id: annotate the StatefulSet kafka-warden.io/id-offset=$((REPLY - 10#$ordinal)) when it is created, or give the pod its own volume"
  # Kafka refuses a broker.id that differs from node.id.
  put node.id "$node_id"
  effective broker.id
  [ -z "$REPLY" ] || put broker.id "$node_id"
else
  stored broker.id
  node_id=${REPLY:-$node_id}
  put broker.id "$node_id"
  # Ids above it are Kafka's own to give (reserved.broker.max.id is 1000 unless set).
  if [ "$node_id" -gt 1000 ]; then apply reserved.broker.max.id '>=' "$node_id"; fi
fi

stores_ready() {
  local store suffix=p12 others="nodes.p12 password"
  if [ "${WARDEN_STORES:-p12}" = pem ]; then suffix=pem others=nodes.pem; fi
  [ "$role" = controller ] || others+=" $pod.$suffix"
  [ -z "$kraft" ] || others+=" $pod.controller.$suffix"
  for store in $others; do [ -s "$keys/$store" ] || return 1; done
}
await "no keystore for $pod yet in the Secret at $keys: the sidecar of this cluster issues it" stores_ready

disk_agreed() { [ -n "$found" ] || [ "${WARDEN_STORAGE:-claim}" = ephemeral ] || [ ! -e "$keys/$pod.formatted" ] || [ -e "$keys/$pod.format-confirmed" ]; }
claim=$(cat "$keys/$pod.formatted" 2>/dev/null)
await "the volume of $pod is empty, but node $node_id had data on another one (claim $claim). If that disk is lost for good, annotate the StatefulSet with kafka-warden.io/confirm-empty-disk=$pod" disk_agreed

# --- start
to_environment() {
  local key
  for key in "${!ours[@]}"; do
    variable "$key"
    [ -n "${gone[$key]:-}" ] || export "$REPLY=${ours[$key]}"
  done
  for key in "${!gone[@]}"; do
    [ -n "${gone[$key]}" ] || continue
    variable "$key"
    unset "$REPLY"
    [ -z "${given[$key]:-}" ] || export "$REPLY="
  done
}
rendered() { # the whole configuration, a property a line
  local key
  printf '%s\n' "$mark"
  {
    for key in "${!given[@]}"; do
      [ -n "${ours[$key]+set}${gone[$key]:-}" ] || printf '%s=%s\n' "$key" "${given[$key]}"
    done
    for key in "${!ours[@]}"; do [ -n "${gone[$key]:-}" ] || printf '%s=%s\n' "$key" "${ours[$key]}"; done
  } | LC_ALL=C sort
}
to_file() {
  local said=''
  rendered | write "$run/server.properties" || exit
  [ -n "$kraft" ] || return 0
  said=$("$tool" format --ignore-formatted -t "$CLUSTER_ID" -c "$run/server.properties" 2>&1) ||
    fail "$tool could not format the log directories: $said"
  say "${said##*$'\n'}"
}
# A JVM keeps the address of a name for half a minute: so long a broker whose pod is a new one would be looked for where it was,
# and a broker that leads before the others fetch from it again loses its in-sync replicas. What the manifest says wins.
if [[ " ${KAFKA_OPTS:-}" != *networkaddress.cache.ttl* && " ${KAFKA_OPTS:-}" != *inetaddr.ttl* ]]; then
  export KAFKA_OPTS="${KAFKA_OPTS:+$KAFKA_OPTS }-Dsun.net.inetaddr.ttl=5"
fi
unset WARDEN_SETTINGS
case $dialect in
  apache | confluent) to_environment ;;
  plain)
    to_file
    arguments=("$run/server.properties" ${arguments[@]+"${arguments[@]}"})
    ;;
  bitnami)
    to_file
    export KAFKA_SKIP_KRAFT_STORAGE_INIT=true
    # In place, because it may be a mount point. Where it may not be written, setup.sh has nothing left to do either.
    if ! cat "$run/server.properties" 2>/dev/null >"$bitnami/config/server.properties"; then
      program=$bitnami/bin/kafka-server-start.sh
      arguments=("$run/server.properties")
    fi
    ;;
esac
exec "$program" ${arguments[@]+"${arguments[@]}"}
