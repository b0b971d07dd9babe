# The environment of the image: values of files, places, defaults. Sourced by every script.
# shellcheck disable=SC2034
for variable in KAFKA_MOUNTED_CONF_DIR KAFKA_CLUSTER_ID KAFKA_KRAFT_CLUSTER_ID KAFKA_INITIAL_CONTROLLERS \
  KAFKA_SKIP_KRAFT_STORAGE_INIT KAFKA_CFG_SASL_ENABLED_MECHANISMS KAFKA_CLIENT_LISTENER_NAME KAFKA_OPTS \
  KAFKA_ZOOKEEPER_PROTOCOL KAFKA_ZOOKEEPER_USER KAFKA_ZOOKEEPER_PASSWORD KAFKA_INTER_BROKER_USER \
  KAFKA_INTER_BROKER_PASSWORD KAFKA_CONTROLLER_USER KAFKA_CONTROLLER_PASSWORD KAFKA_CERTIFICATE_PASSWORD \
  KAFKA_TLS_TRUSTSTORE_FILE KAFKA_TLS_TYPE KAFKA_TLS_CLIENT_AUTH KAFKA_CLIENT_USERS KAFKA_CLIENT_PASSWORDS \
  KAFKA_HEAP_OPTS JAVA_TOOL_OPTIONS; do
  file="${variable}_FILE"
  [[ -n ${!file-} ]] || continue
  if [[ -r ${!file} ]]; then
    export "$variable=$(<"${!file}")"
    unset "$file"
  else
    echo "WARN  Skipping export of '$variable'. '${!file}' is not readable." >&2
  fi
done

export BITNAMI_ROOT_DIR=/opt/bitnami BITNAMI_VOLUME_DIR=/bitnami MODULE="${MODULE:-kafka}"
export KAFKA_BASE_DIR=/opt/bitnami/kafka KAFKA_HOME=/opt/bitnami/kafka
export KAFKA_VOLUME_DIR=/bitnami/kafka KAFKA_DATA_DIR=/bitnami/kafka/data
export KAFKA_CONF_DIR=/opt/bitnami/kafka/config KAFKA_CONF_FILE=/opt/bitnami/kafka/config/server.properties
export KAFKA_MOUNTED_CONF_DIR="${KAFKA_MOUNTED_CONF_DIR:-/bitnami/kafka/config}"
export KAFKA_CERTS_DIR=/opt/bitnami/kafka/config/certs KAFKA_LOG_DIR=/opt/bitnami/kafka/logs
export KAFKA_INITSCRIPTS_DIR=/docker-entrypoint-initdb.d
export PATH="/opt/bitnami/kafka/bin:/opt/bitnami/java/bin:$PATH"

# The cluster's id has one name in the images of 3.x, two in those of 4.x.
if ((${APP_VERSION%%.*} >= 4)); then
  export KAFKA_CLUSTER_ID="${KAFKA_CLUSTER_ID:-${KAFKA_KRAFT_CLUSTER_ID-}}"
else
  export KAFKA_CLUSTER_ID="${KAFKA_KRAFT_CLUSTER_ID-}"
fi
export KAFKA_INITIAL_CONTROLLERS="${KAFKA_INITIAL_CONTROLLERS-}"
export KAFKA_SKIP_KRAFT_STORAGE_INIT="${KAFKA_SKIP_KRAFT_STORAGE_INIT:-false}"
export KAFKA_CFG_SASL_ENABLED_MECHANISMS="${KAFKA_CFG_SASL_ENABLED_MECHANISMS:-PLAIN,SCRAM-SHA-256,SCRAM-SHA-512}"
export KAFKA_OPTS="${KAFKA_OPTS-}" JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS-}"
export KAFKA_ZOOKEEPER_PROTOCOL="${KAFKA_ZOOKEEPER_PROTOCOL:-PLAINTEXT}"
export KAFKA_INTER_BROKER_USER="${KAFKA_INTER_BROKER_USER:-user}"
export KAFKA_INTER_BROKER_PASSWORD="${KAFKA_INTER_BROKER_PASSWORD:-bitnami}"
export KAFKA_CONTROLLER_USER="${KAFKA_CONTROLLER_USER:-controller_user}"
export KAFKA_CONTROLLER_PASSWORD="${KAFKA_CONTROLLER_PASSWORD:-bitnami}"
export KAFKA_CLIENT_USERS="${KAFKA_CLIENT_USERS:-user}" KAFKA_CLIENT_PASSWORDS="${KAFKA_CLIENT_PASSWORDS:-bitnami}"
export KAFKA_CERTIFICATE_PASSWORD="${KAFKA_CERTIFICATE_PASSWORD-}"
export KAFKA_TLS_TYPE="${KAFKA_TLS_TYPE:-JKS}" KAFKA_TLS_CLIENT_AUTH="${KAFKA_TLS_CLIENT_AUTH:-required}"
export KAFKA_TLS_TRUSTSTORE_FILE="${KAFKA_TLS_TRUSTSTORE_FILE-}"
# Less than the published image's 1 GiB, for many brokers on one small machine.
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx512m -Xms128m}"
