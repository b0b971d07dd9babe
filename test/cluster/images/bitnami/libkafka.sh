# What the steps of the setup share.

say() { printf '%s %s\n' "$1" "$2" >&2; }

is_yes() { [[ ${1,,} =~ ^(1|yes|true)$ ]]; }

zookeeper_supported() { ((${APP_VERSION%%.*} < 4)); }

# The entries of a list with commas or semicolons, a line each.
entries() { tr ',;' '\n' <<<"${1-}" | sed '/^$/d'; }

# Sets a key of a properties file. What stands there already, in a comment too, is replaced by sed, which reads `&` and
# `\` of the value in its own way; a new key is written as it is.
conf_set() {
  local file=$1 key=$2 value=$3 mark=$'\001' result
  if grep -q "^[#[:space:]]*$key[[:space:]]*=.*" "$file"; then
    result=$(sed "s$mark^[#[:space:]]*$key[[:space:]]*=.*$mark$key=$value${mark}g" "$file")
    echo "$result" >"$file"
  else
    printf '\n%s=%s' "$key" "$value" >>"$file"
  fi
}

server_set() { conf_set "$KAFKA_CONF_FILE" "$@"; }

clients_set() {
  conf_set "$KAFKA_CONF_DIR/producer.properties" "$@"
  conf_set "$KAFKA_CONF_DIR/consumer.properties" "$@"
}

# Whether a listener in use has one of some protocols.
has_listener() {
  local protocols=" $* " pair
  local map="${KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP-}"
  for pair in $(entries "$map"); do
    if [[ $protocols == *" ${pair#*:} "* && ${KAFKA_CFG_LISTENERS-} =~ ${pair%%:*} ]]; then return 0; fi
  done
  [[ -z $map ]] || return 1
  for pair in "$@"; do
    if [[ ${KAFKA_CFG_LISTENERS-} =~ (^|,)[A-Z_]*$pair: ]]; then return 0; fi
  done
  return 1
}

role_of_listener() {
  if [[ $1 == "${KAFKA_CFG_INTER_BROKER_LISTENER_NAME:-INTERNAL}" ]]; then
    echo inter-broker
  elif [[ ${KAFKA_CFG_CONTROLLER_LISTENER_NAMES:-CONTROLLER} =~ $1 ]]; then
    echo controller
  else
    echo client
  fi
}
