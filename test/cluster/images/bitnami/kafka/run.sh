#!/bin/bash
set -o errexit -o nounset -o pipefail
. /opt/bitnami/scripts/kafka-env.sh
if [[ -f $KAFKA_CONF_DIR/kafka_jaas.conf ]]; then
  export KAFKA_OPTS="$KAFKA_OPTS -Djava.security.auth.login.config=$KAFKA_CONF_DIR/kafka_jaas.conf"
fi
flags=()
if [[ -n ${KAFKA_EXTRA_FLAGS-} ]]; then flags=("$KAFKA_EXTRA_FLAGS"); fi
echo "INFO  ** Starting Kafka **"
exec "$KAFKA_HOME/bin/kafka-server-start.sh" "$KAFKA_CONF_FILE" "${flags[@]}" "$@"
