import type { LintRule, Said } from '../scene.ts';
import type { Broker } from '../brokers.ts';

const why: Readonly<Record<string, string>> = {
  Deployment:
    'pods of a Deployment have no stable name and share one claim; an update starts the new broker beside the old one',
  ReplicaSet: 'pods of a ReplicaSet have no stable name and share one claim',
  DaemonSet:
    'pods of a DaemonSet have no stable name and no claim of their own, and there are as many as nodes',
  Pod: 'a pod that belongs to nothing is not started again on another node',
  Job: 'a Job ends; a broker does not',
  CronJob: 'a CronJob ends; a broker does not',
};

function check({ workload, container }: Broker): Said[] {
  const { kind, subject, pod, replicas, name } = workload;
  const reason = why[kind];
  if (reason === undefined) return [];
  const many = replicas > 1;
  const said: Said[] = [
    {
      subject,
      path: '/kind',
      message: `${container.name} runs Kafka in a ${kind}: ${reason}`,
      severity: many ? 'error' : 'warning',
    },
  ];
  if (many && pod.hostname !== undefined)
    said.push({
      subject,
      path: workload.pointer('/spec/template/spec/hostname'),
      message: `all pods of ${name} have the host name ${pod.hostname}`,
      remedy: 'Remove hostname from the pod template.',
    });
  return said;
}

export const workloadKind: LintRule = {
  doc: {
    id: 'workload-kind',
    title: 'Brokers run in a StatefulSet',
    why: 'A broker is its id, its name and its disk together. Only a StatefulSet keeps the three for a pod wherever it runs; kafka-warden hardens StatefulSets.',
    remedy: 'Write a StatefulSet with a headless Service and a volumeClaimTemplate.',
    severity: 'warning',
  },
  check: ({ brokers }) => brokers.flatMap(check),
};
