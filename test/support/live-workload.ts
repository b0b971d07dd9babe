import assert from 'node:assert/strict';
import type { KafkaTools } from './kafka-tools.ts';

/** An application that sends numbers with acks=all for as long as a test takes, and is asked in the end what became of them. */
export interface LiveWorkload {
  /** Ends it and reads the topic back. Fails where a number was refused, or acknowledged and not found. */
  end(): Promise<{ sent: number; acknowledged: number; read: number }>;
}

const pid = '/tmp/live.pid';
const told = '/tmp/live.jsonl';

/**
 * Kafka's own VerifiableProducer with the producer's usual retries: the tool itself would never send anything again. Nobody else
 * may write to the topic.
 */
export async function startLiveWorkload(
  tools: KafkaTools,
  { topic, perSecond }: { topic: string; perSecond: number },
): Promise<LiveWorkload> {
  await tools.shell(
    `(cat $CONFIG; echo; echo retries=2147483647; echo enable.idempotence=true) > /tmp/live.properties
     nohup kafka-verifiable-producer.sh $SERVER --producer.config /tmp/live.properties --topic ${topic} --acks -1 --throughput ${perSecond} > ${told} 2> /tmp/live.err &
     echo $! > ${pid}
     for i in $(seq 120); do grep -q send_success ${told} && exit 0; sleep 0.5; done
     tail -n 5 ${told} /tmp/live.err >&2; exit 1`,
  );
  return {
    async end() {
      const said = await tools.shell(
        `kill -TERM $(cat ${pid})
         for i in $(seq 240); do grep -q tool_data ${told} && break; sleep 0.5; done
         grep producer_send_success ${told} | grep -o '"value":"[0-9]*"' | tr -dc '0-9\\n' | sort -u > /tmp/acknowledged
         kafka-console-consumer.sh $SERVER --consumer.config $CONFIG --topic ${topic} --from-beginning --timeout-ms 15000 2> /tmp/read.err | sort -u > /tmp/read
         echo "errors $(grep -c producer_send_error ${told})"
         echo "acknowledged $(wc -l < /tmp/acknowledged)"
         echo "read $(wc -l < /tmp/read)"
         echo "lost $(comm -23 /tmp/acknowledged /tmp/read | wc -l)"
         grep tool_data ${told}`,
      );
      const count = (what: string) =>
        Number(new RegExp(`^${what} +(\\d+)$`, 'm').exec(said)?.[1] ?? assert.fail(said));
      const { sent, acked } = JSON.parse(said.trim().split('\n').at(-1)!) as { sent: number; acked: number };
      assert.equal(count('errors'), 0, said);
      assert.equal(acked, sent, said);
      assert.equal(count('acknowledged'), sent, said);
      assert.equal(count('lost'), 0, said);
      return { sent, acknowledged: acked, read: count('read') };
    },
  };
}
