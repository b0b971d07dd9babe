#!/bin/bash
# From environment or mounted files to server.properties and formatted volumes.
set -o errexit -o nounset -o pipefail
. /opt/bitnami/scripts/libkafka.sh
. /opt/bitnami/scripts/kafka-env.sh
for step in variables validate configure format; do
  . "/opt/bitnami/scripts/kafka/$step.sh"
done

take_aliases
run_commands
default_truststore
mkdir -p "$KAFKA_LOG_DIR" "$KAFKA_CONF_DIR" "$KAFKA_MOUNTED_CONF_DIR" "$KAFKA_VOLUME_DIR" "$KAFKA_DATA_DIR"

# A file in the configuration folder skips everything but the format; one in the mounted folder is taken as it is.
if [[ ! -f $KAFKA_CONF_FILE ]]; then
  if [[ ! -f $KAFKA_MOUNTED_CONF_DIR/server.properties ]]; then validate; fi
  configure
fi
if zookeeper_supported && ! grep -q '^process.roles=' "$KAFKA_CONF_FILE"; then
  say INFO "No process roles: no storage to format"
elif ! is_yes "$KAFKA_SKIP_KRAFT_STORAGE_INIT"; then
  format
fi

if [[ ! -f $KAFKA_VOLUME_DIR/.user_scripts_initialized ]] && compgen -G "$KAFKA_INITSCRIPTS_DIR/*.sh" >/dev/null; then
  for file in "$KAFKA_INITSCRIPTS_DIR"/*.sh; do
    if [[ -x $file ]]; then "$file"; else . "$file"; fi
  done
  touch "$KAFKA_VOLUME_DIR/.user_scripts_initialized"
fi
