# The format of a KRaft node's volume, at every start.

format() {
  local options=(--config "$KAFKA_CONF_FILE" --ignore-formatted) id=$KAFKA_CLUSTER_ID
  say INFO "Initializing KRaft storage metadata"
  if [[ -f $KAFKA_DATA_DIR/meta.properties ]]; then
    id=$(sed -n 's/^cluster\.id=//p' "$KAFKA_DATA_DIR/meta.properties")
  fi
  if [[ -z $id ]]; then
    say WARN "No cluster ID is set - If using multiple nodes then you must use the same Cluster ID for each one"
    id=$("$KAFKA_HOME/bin/kafka-storage.sh" random-uuid)
  fi
  options+=("--cluster-id=$id")
  add_scram_users
  if ! zookeeper_supported && [[ ${KAFKA_CFG_PROCESS_ROLES-} == *controller* ]]; then
    options+=(--feature=kraft.version=1)
    if [[ -n $KAFKA_INITIAL_CONTROLLERS ]]; then
      options+=("--initial-controllers=$KAFKA_INITIAL_CONTROLLERS")
    else
      options+=(--no-initial-controllers)
    fi
  fi
  say INFO "Formatting storage directories to add metadata..."
  "$KAFKA_HOME/bin/kafka-storage.sh" format "${options[@]}"
}

# Users for SCRAM can be made with the volume only; the brokers' own among them.
add_scram_users() {
  local users passwords mechanism i
  [[ $KAFKA_CFG_SASL_ENABLED_MECHANISMS == *SCRAM* ]] && has_listener SASL_PLAINTEXT SASL_SSL || return 0
  mapfile -t users < <(entries "$KAFKA_CLIENT_USERS")
  mapfile -t passwords < <(entries "$KAFKA_CLIENT_PASSWORDS")
  for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
    if grep -Eq "^sasl.enabled.mechanisms=.*$mechanism" "$KAFKA_CONF_FILE"; then
      for i in "${!users[@]}"; do options+=(--add-scram "$mechanism=[name=${users[i]},password=${passwords[i]}]"); done
    fi
    if grep -q "^sasl.mechanism.inter.broker.protocol=$mechanism" "$KAFKA_CONF_FILE"; then
      options+=(--add-scram "$mechanism=[name=$KAFKA_INTER_BROKER_USER,password=$KAFKA_INTER_BROKER_PASSWORD]")
    fi
    if grep -q "^sasl.mechanism.controller.protocol=$mechanism" "$KAFKA_CONF_FILE"; then
      options+=(--add-scram "$mechanism=[name=$KAFKA_CONTROLLER_USER,password=$KAFKA_CONTROLLER_PASSWORD]")
    fi
  done
}
