#!/usr/bin/env bash
# kafka-server-start.sh FILE [--override KEY=VALUE]...
if (($# < 1)); then
  echo "USAGE: $0 server.properties [--override property=value]*" >&2
  exit 1
fi
# Less than the published image's 1 GiB, for many brokers on one small machine.
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx512m -Xms128m}"
if [[ -z ${KAFKA_LOG4J_OPTS-} ]]; then
  if [[ -f /etc/kafka/docker/log4j2.yaml ]]; then
    export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml"
  else
    export KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties"
  fi
fi
exec /opt/kafka/bin/kafka-run-class.sh kafka.Kafka "$@"
