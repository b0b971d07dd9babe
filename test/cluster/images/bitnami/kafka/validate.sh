# Refusals of settings that cannot work; all are printed before the start fails.

errors=0
invalid() {
  say ERROR "$1"
  errors=1
}

validate() {
  validate_mode
  validate_ports
  validate_protocols
  validate_stores
  if [[ $(entries "$KAFKA_CLIENT_USERS" | wc -l) -ne $(entries "$KAFKA_CLIENT_PASSWORDS" | wc -l) ]]; then
    invalid "Specify the same number of passwords on KAFKA_CLIENT_PASSWORDS as the number of users on KAFKA_CLIENT_USERS!"
  fi
  [[ " JKS PEM " == *" $KAFKA_TLS_TYPE "* ]] || invalid "The allowed values for KAFKA_TLS_TYPE are: JKS PEM"
  [[ " none requested required " == *" $KAFKA_TLS_CLIENT_AUTH "* ]] ||
    invalid "The allowed values for KAFKA_TLS_CLIENT_AUTH are: none requested required"
  return "$errors"
}

validate_mode() {
  local roles="${KAFKA_CFG_PROCESS_ROLES-}" zookeeper=
  if zookeeper_supported; then zookeeper="${KAFKA_CFG_ZOOKEEPER_CONNECT-}"; fi
  if [[ -z $roles ]]; then
    [[ -n $zookeeper ]] || invalid "Neither process roles (KAFKA_CFG_PROCESS_ROLES) nor ZooKeeper are configured."
    return 0
  fi
  if [[ -n $zookeeper ]] && ! is_yes "${KAFKA_CFG_ZOOKEEPER_METADATA_MIGRATION_ENABLE-}"; then
    invalid "Both KRaft mode and Zookeeper modes are configured, but KAFKA_CFG_ZOOKEEPER_METADATA_MIGRATION_ENABLE is not enabled"
  fi
  [[ -n ${KAFKA_CFG_NODE_ID-} ]] ||
    invalid "KRaft mode requires an unique node.id, please set the environment variable KAFKA_CFG_NODE_ID"
  if zookeeper_supported && [[ -z ${KAFKA_CFG_CONTROLLER_QUORUM_VOTERS-} ]]; then
    invalid "KRaft mode requires KAFKA_CFG_CONTROLLER_QUORUM_VOTERS to be set"
  fi
  validate_roles "$roles"
}

validate_roles() {
  local role names="${KAFKA_CFG_CONTROLLER_LISTENER_NAMES-}"
  for role in $(entries "$1"); do
    case $role in
      broker) ;;
      controller)
        [[ -n $names ]] ||
          invalid "Role 'controller' enabled but environment variable KAFKA_CFG_CONTROLLER_LISTENER_NAMES was not provided."
        [[ -n ${KAFKA_CFG_LISTENERS-} && $KAFKA_CFG_LISTENERS =~ $names ]] ||
          invalid "Role 'controller' enabled but listener $names not found in KAFKA_CFG_LISTENERS."
        [[ -n ${KAFKA_CFG_CONTROLLER_QUORUM_VOTERS-} ]] ||
          invalid "Role 'controller' enabled but environment variable KAFKA_CFG_CONTROLLER_QUORUM_VOTERS was not provided."
        ;;
      *) invalid "Invalid KRaft process role '$role'. Supported roles are 'broker,controller'" ;;
    esac
  done
}

validate_ports() {
  local listener port ports=()
  for listener in $(entries "${KAFKA_CFG_LISTENERS-}"); do
    port=${listener##*:}
    if [[ ! $port =~ ^[0-9]+$ ]] || ((port < 1 || port > 65535)) || ((EUID != 0 && port < 1024)); then
      invalid "An invalid port $port was specified in the environment variable KAFKA_CFG_LISTENERS."
    fi
    ports+=("$port")
  done
  if [[ ${#ports[@]} -ne $(printf '%s\n' "${ports[@]}" | sed '/^$/d' | sort -u | wc -l) ]]; then
    invalid "There are listeners bound to the same port"
  fi
}

validate_protocols() {
  local pair listener protocol
  for pair in $(entries "${KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP-}"); do
    listener=${pair%%:*} protocol=${pair#*:}
    [[ " PLAINTEXT SASL_PLAINTEXT SASL_SSL SSL " == *" $protocol "* ]] ||
      invalid "Authentication protocol $protocol is not supported!"
    [[ $protocol == SASL_* ]] || continue
    case $(role_of_listener "$listener") in
      inter-broker)
        [[ -n ${KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL-} ]] ||
          invalid "SASL between brokers needs KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL"
        ;;
      controller)
        [[ -n ${KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL-} ]] ||
          invalid "SASL between controllers needs KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL"
        ;;
    esac
  done
}

validate_stores() {
  local files=(kafka.keystore.jks) folder file missing=yes
  has_listener SSL SASL_SSL || return 0
  if [[ $KAFKA_TLS_TYPE == PEM ]]; then files=(kafka.keystore.pem kafka.keystore.key); fi
  for folder in "$KAFKA_CERTS_DIR" "$KAFKA_MOUNTED_CONF_DIR/certs"; do
    local found=yes
    for file in "${files[@]}"; do [[ -f $folder/$file ]] || found=no; done
    if [[ $found == yes && -f $KAFKA_TLS_TRUSTSTORE_FILE ]]; then missing=no; fi
  done
  [[ $missing == no ]] ||
    invalid "In order to configure the TLS encryption for Kafka with $KAFKA_TLS_TYPE certs you must mount ${files[*]} and the truststore to the $KAFKA_MOUNTED_CONF_DIR/certs directory."
}
