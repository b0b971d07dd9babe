import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said, type Scene } from '../scene.ts';
import { isHeadless } from '../services.ts';
import { nameOf, textAt } from '../subject.ts';

/** What becomes of KAFKA_PORT=tcp://… in the images. */
function harmOf({
  profile,
  container,
}: Broker): { text: string; severity: Said['severity'] & string } | undefined {
  if (profile.dialect === 'confluent')
    return { text: 'the image sees KAFKA_PORT and does not start', severity: 'error' };
  if (/(wurstmeister|ches|spotify)\//.test(container.image ?? ''))
    return { text: 'the image takes KAFKA_PORT for its port and does not start', severity: 'error' };
  return profile.dialect === 'apache'
    ? { text: 'the image turns KAFKA_PORT, KAFKA_SERVICE_HOST … into properties', severity: 'info' }
    : undefined;
}

function check(scene: Scene, broker: Broker): Said[] {
  const { workload } = broker;
  if (workload.pod.enableServiceLinks === false) return [];
  const harm = harmOf(broker);
  const linked = scene
    .ofKind('Service')
    .find(
      (s) =>
        s.namespace === workload.namespace &&
        nameOf(s) === 'kafka' &&
        !isHeadless(s) &&
        textAt(s.value, 'spec', 'type') !== 'ExternalName',
    );
  if (linked === undefined || harm === undefined) return [];
  return [
    {
      subject: workload.subject,
      path: workload.pointer('/spec/template/spec/enableServiceLinks'),
      message: `the Service kafka puts KAFKA_PORT=tcp://… into every pod of the namespace: ${harm.text}`,
      severity: scene.layoutOf(workload.subject) === undefined ? harm.severity : 'info',
    },
  ];
}

export const linkedServices: LintRule = {
  doc: coreDoc('service-links'),
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
