import { pointerTo } from '../../hardening/draft.ts';
import { hasOwnSecurity } from '../../hardening/rules/existing-security.ts';
import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said, type Scene } from '../scene.ts';
import { listenersOf } from './plaintext-exposed.ts';

function check(scene: Scene, broker: Broker): Said[] {
  const { workload, shape, configuration, index, hardened } = broker;
  if (hardened || scene.layoutOf(workload.subject) !== undefined) return [];
  if (
    hasOwnSecurity({
      ...broker,
      set: workload.set,
      pod: workload.pod,
      containerIndex: index,
      kafkaVersion: broker.version,
    })
  )
    return [];
  const open = listenersOf(broker).filter((l) => !/^(localhost|127\.)/.test(l.host));
  if (open.length === 0 || open.some((l) => shape.protocolOf(l) !== 'PLAINTEXT')) return [];
  const value = configuration.property('listeners');
  return [
    {
      subject: workload.subject,
      path: workload.pointer(pointerTo(index, 'from' in value ? value.from : '/env')),
      message: `every listener of ${workload.name} is PLAINTEXT (${open.map((l) => `${l.name} ${l.port}`).join(', ')}): whoever reaches a pod reads and writes everything`,
      remedy:
        'Let brokers and clients talk over SSL or SASL_SSL, with an authorizer; or use a set-up that kafka-warden hardens.',
      severity: 'warning',
    },
  ];
}

export const openListeners: LintRule = {
  doc: coreDoc('listeners'),
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
