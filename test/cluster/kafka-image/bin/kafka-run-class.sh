#!/usr/bin/env bash
# kafka-run-class.sh [OPTION OF JAVA...] CLASS [ARGUMENT...]
base=/opt/kafka
: "${LOG_DIR:=$base/logs}"

if [[ -z ${KAFKA_LOG4J_OPTS-} ]]; then
  if [[ -f $base/config/tools-log4j2.yaml || -f /etc/kafka/docker/log4j2.yaml ]]; then
    KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml"
  else
    KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:/etc/kafka/docker/tools-log4j.properties"
  fi
fi
if [[ -n ${KAFKA_JMX_PORT-} && -z ${KAFKA_JMX_OPTS-} ]]; then
  KAFKA_JMX_OPTS="-Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.authenticate=false \
-Dcom.sun.management.jmxremote.ssl=false -Dcom.sun.management.jmxremote.port=$KAFKA_JMX_PORT"
fi
# Classes as a broker loads them, which the tools share; an archive that does not fit is left aside.
archive=()
: "${KAFKA_SHARED_ARCHIVE:=$base/kafka.jsa}"
if [[ -f $KAFKA_SHARED_ARCHIVE ]]; then
  archive=("-XX:SharedArchiveFile=$KAFKA_SHARED_ARCHIVE" -Xlog:cds=off -Xlog:cds+dynamic=off)
fi

exec java "${archive[@]}" ${KAFKA_HEAP_OPTS:--Xmx256M} \
  ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true} \
  ${KAFKA_GC_LOG_OPTS-} ${KAFKA_JMX_OPTS-} -Dkafka.logs.dir="$LOG_DIR" $KAFKA_LOG4J_OPTS \
  -cp "${CLASSPATH:+$CLASSPATH:}$base/libs/*" ${KAFKA_OPTS-} "$@"
