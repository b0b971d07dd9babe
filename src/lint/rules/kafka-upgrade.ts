import { pointerTo } from '../../hardening/draft.ts';
import { configurationFindings } from '../../upgrade/index.ts';
import { upgradeRule } from '../../upgrade/rule.ts';
import type { Broker } from '../brokers.ts';
import { placeElsewhere } from '../places.ts';
import type { LintRule, Said, Scene } from '../scene.ts';

function check({ subjects }: Scene, broker: Broker): Said[] {
  const { workload, index, version, configuration, container } = broker;
  if (version === undefined) return [];
  return configurationFindings({ configuration, container }, { to: version }).map((found): Said => {
    const { from = '/image', message, remedy, severity } = found;
    const other = placeElsewhere(from);
    const elsewhere = other === undefined ? undefined : subjects[other.subject];
    return {
      ...(other === undefined || elsewhere === undefined
        ? { subject: workload.subject, path: workload.pointer(pointerTo(index, from)) }
        : { subject: elsewhere, path: other.path }),
      message,
      remedy,
      ...(severity === 'problem' ? { severity: 'error' as const } : {}),
    };
  });
}

/** Of brokers whose manifest says that they are of Kafka 4. */
export const kafkaUpgrade: LintRule = {
  doc: upgradeRule,
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
