import type { Listener } from '../../hardening/listeners.ts';
import type { Broker } from '../brokers.ts';
import type { LintRule, Said, Scene } from '../scene.ts';
import { doorsTo } from '../services.ts';

/** Kafka's own listener where none is configured. */
const usual: Listener = { name: 'PLAINTEXT', host: '', port: 9092 };

/** The listeners of a broker, those included that only its advertised ones show. */
export function listenersOf({ shape, configuration }: Broker): Listener[] {
  const shown = [
    ...shape.listeners,
    ...shape.advertised.filter(
      (a): a is Listener => a.port !== undefined && !shape.listeners.some((l) => l.name === a.name),
    ),
  ];
  const isSilent = ['listeners', 'advertised.listeners'].every(
    (p) => configuration.property(p).state === 'absent',
  );
  return shown.length === 0 && isSilent ? [usual] : shown;
}

function check(scene: Scene, broker: Broker): Said[] {
  if (broker.hardened) return [];
  const open = listenersOf(broker).filter((l) => /^(SASL_)?PLAINTEXT$/.test(broker.shape.protocolOf(l)));
  return doorsTo(scene, broker).flatMap(({ subject, path, text, target, narrow }) => {
    const listener = open.find((l) => l.port === target);
    if (listener === undefined) return [];
    const protocol = broker.shape.protocolOf(listener);
    const what = protocol === 'PLAINTEXT' ? 'neither encrypted nor authenticated' : 'not encrypted';
    return [
      {
        subject,
        path,
        message: `${text} opens listener ${listener.name} (port ${target}) of ${broker.workload.name} to clients outside of the cluster: it is ${protocol}, ${what}`,
        ...(narrow && { severity: 'warning' as const }),
      },
    ];
  });
}

export const plaintextExposed: LintRule = {
  doc: {
    id: 'plaintext-exposed',
    title: 'No plaintext listener behind a LoadBalancer, NodePort or Ingress',
    why: 'Whoever reaches such an address reads and writes every topic, or reads passwords and messages on the way. That is often the whole internet, and always more than the namespace.',
    remedy:
      'Give clients outside a listener with SASL_SSL (or SSL with client certificates), and let the Service name that port.',
    severity: 'error',
  },
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
