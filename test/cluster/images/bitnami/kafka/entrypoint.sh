#!/bin/bash
# Sets up only where the arguments speak of run.sh: another command starts what is there.
set -o errexit -o nounset -o pipefail
. /opt/bitnami/scripts/kafka-env.sh
if [[ "$*" == *"/opt/bitnami/scripts/kafka/run.sh"* || "$*" == *"/run.sh"* ]]; then
  echo "INFO  ** Starting Kafka setup **"
  /opt/bitnami/scripts/kafka/setup.sh
  echo "INFO  ** Kafka setup finished! **"
fi
exec "$@"
