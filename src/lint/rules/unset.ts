import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import type { Workload } from '../workload.ts';
import { brokerCount, coreDoc, type LintRule, type Said, type Scene } from '../scene.ts';

/** What a manifest leaves out. Where admission hardens the set it is added, so that a person has nothing to do. */
type Omission = (
  scene: Scene,
  broker: Broker,
) => { path: string; message: string; remedy?: string } | undefined;

const rule = (id: string, omission: Omission): LintRule => ({
  doc: coreDoc(id),
  check: (scene) =>
    scene.brokers.flatMap((broker): Said[] => {
      const { workload, hardened } = broker;
      const found = hardened ? undefined : omission(scene, broker);
      if (found === undefined) return [];
      const added = scene.layoutOf(workload.subject) !== undefined;
      return [
        {
          ...found,
          subject: workload.subject,
          path: workload.pointer(found.path),
          severity: added ? 'info' : 'warning',
          ...(added && { remedy: 'Nothing to do where kafka-warden runs: it is added on admission.' }),
        },
      ];
    }),
});

const pod = '/spec/template/spec';

const noGrace: Omission = (_, { workload }) =>
  workload.pod.terminationGracePeriodSeconds === undefined
    ? {
        path: `${pod}/terminationGracePeriodSeconds`,
        message: 'a broker has 30 seconds to hand over its leaders and close its logs, then it is killed',
      }
    : undefined;

const noSpread: Omission = (_, { workload }) => {
  const { affinity, topologySpreadConstraints } = workload.pod;
  const isSpread = affinity?.podAntiAffinity !== undefined || topologySpreadConstraints !== undefined;
  if (isSpread || workload.replicas < 2 || workload.kind === 'DaemonSet') return undefined;
  return {
    path: `${pod}/affinity`,
    message: `nothing keeps the ${workload.replicas} pods from running on one node`,
    remedy: 'Write a podAntiAffinity over kubernetes.io/hostname, or topologySpreadConstraints.',
  };
};

const noReadiness: Omission = (_, { container, index }) =>
  container.readinessProbe === undefined
    ? {
        path: pointerTo(index, '/readinessProbe'),
        message:
          'without a readiness probe a pod counts as ready before it serves: the next one is stopped too early',
      }
    : undefined;

const hasDisk = ({ set, pod: { volumes = [] } }: Workload): boolean =>
  (set.spec?.volumeClaimTemplates ?? []).length > 0 ||
  volumes.some((v) => v.persistentVolumeClaim !== undefined);

/** Groups own fresh volumes only where fsGroup says so; init containers and root make do without. */
const noGroup: Omission = (_, { workload, container, profile }) => {
  const { securityContext, initContainers = [] } = workload.pod;
  const user = container.securityContext?.runAsUser ?? securityContext?.runAsUser ?? profile.user;
  const owns = initContainers.some((c) =>
    /chown|chmod/.test([...(c.command ?? []), ...(c.args ?? [])].join(' ')),
  );
  if (
    securityContext?.fsGroup !== undefined ||
    user === undefined ||
    user === 0 ||
    !hasDisk(workload) ||
    owns
  )
    return undefined;
  return {
    path: `${pod}/securityContext`,
    message: `the broker runs as user ${user} without fsGroup: on most storage it may not write to a fresh volume`,
    remedy: `Set securityContext.fsGroup: ${profile.group ?? 1000} for the pod.`,
  };
};

const noReplication: Omission = (scene, broker) => {
  const { configuration, container, index, role, workload } = broker;
  const given = ['default.replication.factor', 'min.insync.replicas'].map(
    (p) => configuration.property(p).state,
  );
  if (role === 'controller' || brokerCount(scene, broker) < 2 || given.some((s) => s !== 'absent'))
    return undefined;
  if (configuration.delivery.kind !== 'file' && (container.env ?? []).length === 0) return undefined;
  if (scene.layoutOf(workload.subject) !== undefined) return undefined;
  return {
    path: pointerTo(index, '/env'),
    message:
      'default.replication.factor is not set: topics that are created without a number have one replica, and are lost with it',
    remedy: 'Set default.replication.factor=3 and min.insync.replicas=2.',
  };
};

/** Below five minutes a broker that recovers its logs after a crash may be killed again and again. */
const recoverySeconds = 300;

const impatient: Omission = (_, { container, index }) => {
  const { livenessProbe: probe, startupProbe } = container;
  if (probe === undefined || startupProbe !== undefined) return undefined;
  const seconds =
    (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3);
  if (seconds >= recoverySeconds) return undefined;
  return {
    path: pointerTo(index, '/livenessProbe'),
    message: `the liveness probe kills a broker that does not answer ${seconds} seconds after its start: after a crash the recovery of its logs takes longer, and begins anew each time`,
    remedy: 'Add a startupProbe that allows half an hour, or remove the liveness probe.',
  };
};

const toolProbe = /kafka-[a-z-]+(\.sh)?\b|\bkafkacat\b|\bkcat\b/;

const slow: Omission = (_, { container, index }) => {
  const command = container.livenessProbe?.exec?.command?.join(' ') ?? '';
  const tool = toolProbe.exec(command)?.[0];
  if (tool === undefined || /\/dev\/tcp|kafka-run-class/.test(command)) return undefined;
  return {
    path: pointerTo(index, '/livenessProbe/exec'),
    message: `the liveness probe starts ${tool} each time: a JVM of its own, which needs seconds and the quorum, so that brokers are killed when the cluster is slow`,
    remedy: 'Probe the port with tcpSocket.',
  };
};

/** Rules for what is not written. */
export const unset: readonly LintRule[] = [
  rule('shutdown', noGrace),
  rule('spread', noSpread),
  rule('probes', noReadiness),
  rule('probes', impatient),
  rule('probes', slow),
  rule('pod-security', noGroup),
  rule('durability', noReplication),
];
