#!/usr/bin/env bash
# zkServer.sh start-foreground | status | print-cmd, zkCli.sh [ARGUMENT...]: the name it is called by chooses.
config="${ZOOCFGDIR:-/conf}/zoo.cfg"
run=(java -cp '/opt/kafka/libs/*' "-Xmx${ZK_SERVER_HEAP:-256}m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1
  -Dlog4j.configuration=file:/conf/log4j.properties)
if [[ $(basename "$0") == zkCli.sh ]]; then
  # shellcheck disable=SC2086
  exec "${run[@]}" ${CLIENT_JVMFLAGS-} org.apache.zookeeper.ZooKeeperMain "$@"
fi
case ${1-} in
  start-foreground)
    # shellcheck disable=SC2086
    exec "${run[@]}" ${JVMFLAGS-} ${SERVER_JVMFLAGS-} org.apache.zookeeper.server.quorum.QuorumPeerMain "${2:-$config}"
    ;;
  status)
    port=$(sed -nE 's/^clientPort=//p; s/^server\.[0-9]+=.*;([^:]*:)?([0-9]+)$/\2/p' "$config" | head -n 1)
    mode=$(echo srvr | nc localhost "${port:-2181}" | grep '^Mode: ') || { echo "Error contacting service. It is probably not running."; exit 1; }
    echo "$mode"
    ;;
  *)
    echo "Usage: $0 {start-foreground|status}" >&2
    exit 1
    ;;
esac
