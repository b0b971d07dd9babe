#!/usr/bin/env bash
# Formats and starts a broker of the packaged defaults once, and keeps the classes that each step loaded.
performance="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true -Xlog:cds=error -Xlog:cds+dynamic=error"
export CLUSTER_ID=5L6g3nShT-eMCtK--X86sw
KAFKA_JVM_PERFORMANCE_OPTS="$performance -XX:ArchiveClassesAtExit=/opt/kafka/storage.jsa" \
  /opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
KAFKA_JVM_PERFORMANCE_OPTS="$performance -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa" \
  /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties &
broker=$!
until (: </dev/tcp/127.0.0.1/9092) 2>/dev/null; do
  kill -0 "$broker"
  sleep 0.2
done
/opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 --create --topic t --partitions 1
echo message | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server localhost:9092 --topic t
kill -TERM "$broker"
wait "$broker" || test $? -eq 143
test -s /opt/kafka/kafka.jsa
