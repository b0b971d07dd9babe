# server.properties: the mounted one as it is, else the original with settings of the environment over it.

configure() {
  if [[ -n $(ls -A "$KAFKA_MOUNTED_CONF_DIR") ]]; then
    cp -Lr "$KAFKA_MOUNTED_CONF_DIR"/* "$KAFKA_CONF_DIR"
  fi
  if [[ -f $KAFKA_TLS_TRUSTSTORE_FILE && $KAFKA_TLS_TRUSTSTORE_FILE != "$KAFKA_CERTS_DIR"/* ]]; then
    mkdir -p "$KAFKA_CERTS_DIR"
    cp -L "$KAFKA_TLS_TRUSTSTORE_FILE" "$KAFKA_CERTS_DIR"
  fi
  if [[ -f $KAFKA_MOUNTED_CONF_DIR/server.properties ]]; then
    say INFO "Detected mounted server.properties file at $KAFKA_MOUNTED_CONF_DIR/server.properties. Skipping configuration based on env variables"
    return 0
  fi
  sed -E 's/^(zookeeper\.|group\.initial|broker\.|node\.|process\.|listeners=|listener\.|controller\.|inter\.broker|advertised\.listeners)/#\1/' \
    "$KAFKA_CONF_DIR/server.properties.original" >"$KAFKA_CONF_FILE"
  server_set log.dirs "$KAFKA_DATA_DIR"
  from_environment
  if has_listener SSL SASL_SSL; then configure_stores; fi
  if has_listener SASL_PLAINTEXT SASL_SSL; then
    server_set sasl.enabled.mechanisms "$KAFKA_CFG_SASL_ENABLED_MECHANISMS"
  fi
  configure_listeners
  # Once more, for what the steps between may have set differently.
  from_environment
}

# An underscore is a dot, always; but for the names of two protocols, and one of ZooKeeper's keys.
from_environment() {
  local variable key
  for variable in "${!KAFKA_CFG_@}"; do
    key=${variable#KAFKA_CFG_}
    key=${key//_/.}
    key=${key,,}
    key=${key//sasl.ssl/sasl_ssl}
    key=${key//sasl.plaintext/sasl_plaintext}
    if [[ $variable == KAFKA_CFG_ZOOKEEPER_CLIENTCNXNSOCKET ]]; then key=zookeeper.clientCnxnSocket; fi
    server_set "$key" "${!variable}"
  done
}

configure_stores() {
  local truststore="$KAFKA_CERTS_DIR/${KAFKA_TLS_TRUSTSTORE_FILE##*/}"
  server_set ssl.client.auth "$KAFKA_TLS_CLIENT_AUTH"
  both_set ssl.keystore.type "$KAFKA_TLS_TYPE"
  both_set ssl.truststore.type "$KAFKA_TLS_TYPE"
  if [[ -n $KAFKA_CERTIFICATE_PASSWORD ]]; then both_set ssl.key.password "$KAFKA_CERTIFICATE_PASSWORD"; fi
  if [[ $KAFKA_TLS_TYPE == PEM ]]; then
    both_set ssl.keystore.key "$(one_value "$KAFKA_CERTS_DIR/kafka.keystore.key")"
    both_set ssl.keystore.certificate.chain "$(one_value "$KAFKA_CERTS_DIR/kafka.keystore.pem")"
    both_set ssl.truststore.certificates "$(one_value "$truststore")"
    return 0
  fi
  both_set ssl.keystore.location "$KAFKA_CERTS_DIR/kafka.keystore.jks"
  both_set ssl.truststore.location "$truststore"
  if [[ -n $KAFKA_CERTIFICATE_PASSWORD ]]; then
    both_set ssl.keystore.password "$KAFKA_CERTIFICATE_PASSWORD"
    both_set ssl.truststore.password "$KAFKA_CERTIFICATE_PASSWORD"
  fi
}

both_set() {
  server_set "$@"
  clients_set "$@"
}

# A file's lines as one value over several lines of a properties file.
one_value() { awk 'NR > 1 { print line "\\n\\" } { line = $0 } END { print $0 " " }' "$1"; }

configure_listeners() {
  local pair listener protocol lower client_auth
  for pair in $(entries "${KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP-}"); do
    listener=${pair%%:*} protocol=${pair#*:}
    lower=${listener,,}
    client_auth="KAFKA_TLS_${listener^^}_CLIENT_AUTH"
    if [[ $protocol == *SSL && -n ${!client_auth-} ]]; then
      server_set "listener.name.$lower.ssl.client.auth" "${!client_auth}"
    fi
    if [[ $protocol == SASL_* ]]; then configure_sasl "$lower" "$(role_of_listener "$listener")"; fi
  done
}

configure_sasl() {
  local lower=$1 role=$2 mechanism mechanisms=$KAFKA_CFG_SASL_ENABLED_MECHANISMS
  if [[ $role == inter-broker ]]; then
    server_set sasl.mechanism.inter.broker.protocol "$KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL"
  elif [[ $role == controller ]]; then
    mechanisms=$KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL
    server_set sasl.mechanism.controller.protocol "$mechanisms"
    server_set "listener.name.$lower.sasl.enabled.mechanisms" "$mechanisms"
  fi
  # A file with logins takes the place of all these.
  [[ ! -f $KAFKA_CONF_DIR/kafka_jaas.conf ]] || return 0
  for mechanism in $(entries "$mechanisms"); do
    server_set "listener.name.$lower.${mechanism,,}.sasl.jaas.config" "$(login "$mechanism" "$role")"
  done
}

login() {
  local mechanism=$1 role=$2 module=scram.ScramLoginModule options=() users=() passwords=() i
  [[ $mechanism != PLAIN ]] || module=plain.PlainLoginModule
  case $role in
    inter-broker) options=("username=\"$KAFKA_INTER_BROKER_USER\"" "password=\"$KAFKA_INTER_BROKER_PASSWORD\"") ;;
    controller) options=("username=\"$KAFKA_CONTROLLER_USER\"" "password=\"$KAFKA_CONTROLLER_PASSWORD\"") ;;
  esac
  if [[ $mechanism == PLAIN && $role == controller ]]; then
    options+=("user_$KAFKA_CONTROLLER_USER=\"$KAFKA_CONTROLLER_PASSWORD\"")
  elif [[ $mechanism == PLAIN ]]; then
    mapfile -t users < <(entries "$KAFKA_CLIENT_USERS")
    mapfile -t passwords < <(entries "$KAFKA_CLIENT_PASSWORDS")
    if [[ $role == inter-broker ]]; then
      users+=("$KAFKA_INTER_BROKER_USER")
      passwords+=("$KAFKA_INTER_BROKER_PASSWORD")
    fi
    for i in "${!users[@]}"; do options+=("user_${users[i]}=\"${passwords[i]}\""); done
  fi
  echo "org.apache.kafka.common.security.$module required${options[*]:+ ${options[*]}};"
}
