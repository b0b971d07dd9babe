import { literal } from '../../hardening/configuration.ts';
import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said, type Scene } from '../scene.ts';
import { doorsTo } from '../services.ts';

interface Jmx {
  port: number | undefined;
  /** Below the container. */
  from: string;
  closed: boolean;
}

/** Remote JMX as a broker's variables switch it on: JMX_PORT by kafka-run-class.sh, KAFKA_JMX_PORT by the images, or JVM options. */
function jmxOf({ configuration }: Broker): Jmx | undefined {
  const options = ['KAFKA_JMX_OPTS', 'KAFKA_OPTS', 'EXTRA_ARGS'].map((name) => configuration.variable(name));
  const text = options.map((o) => literal(o) ?? '').join(' ');
  const closed = /authenticate=true/.test(text) || /jmxremote\.host=(127\.0\.0\.1|localhost)/.test(text);
  const inOptions = /jmxremote\.port=(\d+)/.exec(text)?.[1];
  for (const name of ['KAFKA_JMX_PORT', 'JMX_PORT']) {
    const value = configuration.variable(name);
    if (value.state === 'literal') return { port: Number(value.value), from: value.from, closed };
  }
  const source = options.find((o) => literal(o)?.includes('jmxremote.port') === true);
  if (inOptions === undefined || source === undefined || !('from' in source)) return undefined;
  return { port: Number(inOptions), from: source.from, closed };
}

function check(scene: Scene, broker: Broker): Said[] {
  const jmx = jmxOf(broker);
  if (jmx === undefined || jmx.closed) return [];
  const { workload } = broker;
  const doors = doorsTo(scene, broker).filter((d) => d.target === jmx.port);
  return [
    {
      subject: workload.subject,
      path: workload.pointer(pointerTo(broker.index, jmx.from)),
      message: 'remote JMX is open without authentication',
    },
    ...doors.map(({ subject, path, text }) => ({
      subject,
      path,
      message: `${text} opens JMX (port ${jmx.port}) of ${workload.name} to the world: whoever reaches it can run code in the broker`,
      remedy: 'Remove the port from the Service.',
    })),
  ];
}

export const jmxExposed: LintRule = {
  doc: coreDoc('jmx-open'),
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
