#!/usr/bin/env bash
# Every other tool of the distribution: the name it is called by chooses the class in tools.list.
class=$(sed -n "s/^$(basename "$0" .sh) //p" /opt/kafka/bin/tools.list)
exec /opt/kafka/bin/kafka-run-class.sh "$class" "$@"
