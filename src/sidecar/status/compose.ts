import { type Condition, type Finding, dated } from '../conditions.ts';
import type { Facts, Report } from '../context.ts';
import type { BrokerStatus, CertificateStatus, ClusterStatus } from './kafka-cluster.ts';

export interface StatusSources {
  readonly reports: readonly Report[];
  /** What the sets say of themselves: their version, and whether a roll or scaling is under way. */
  readonly kafkaVersion: string | undefined;
  readonly rolling: readonly string[];
  readonly earlier: Partial<ClusterStatus> | undefined;
  readonly now: Date;
}

type NodeStatus = Pick<BrokerStatus, 'pod' | 'set' | 'ready'>;

/** The whole status, from what every duty reported last. */
export function composeStatus(sources: StatusSources): Partial<ClusterStatus> {
  const { reports, kafkaVersion, rolling, earlier, now } = sources;
  const { presented = {}, ...facts } = Object.assign({}, ...reports.map((one) => one.facts ?? {})) as Facts;
  const certificates = facts.certificates?.map((certificate) => {
    const end = presented[`${certificate.pod} ${certificate.store}`];
    return end === undefined ? certificate : { ...certificate, presentedNotAfter: end };
  });
  const findings = reports.flatMap(({ conditions }) => conditions);
  const own = [
    readyFinding(facts, findings),
    progressFinding(rolling, nodesOf(facts)),
    validityFinding(certificates ?? [], now),
  ];
  const conditions: Condition[] = dated([...findings, ...own], earlier?.conditions, now);
  return {
    ...facts,
    ...(certificates === undefined ? {} : { certificates }),
    ...(kafkaVersion === undefined ? {} : { kafkaVersion }),
    conditions,
  };
}

const healthy: Readonly<Record<string, Finding['status']>> = {
  CertificatesIssued: 'True',
  ServicesReady: 'True',
  SetsAgree: 'True',
  Registered: 'True',
  LostDisk: 'False',
};

const nodesOf = ({ brokers = [], controllers = [] }: Facts): NodeStatus[] => [...brokers, ...controllers];

/** The cluster serves: every broker is registered and its pod ready, and nothing that they need is missing. */
function readyFinding(facts: Facts, findings: readonly Finding[]): Finding {
  const type = 'Ready';
  const bad = findings.find((finding) => {
    const wanted = healthy[finding.type];
    return wanted !== undefined && finding.status !== wanted;
  });
  if (bad !== undefined) return { type, status: 'False', reason: bad.reason, message: bad.message };
  const { quorum, mode } = facts;
  if (facts.brokers === undefined || mode === undefined) {
    return {
      type,
      status: 'Unknown',
      reason: 'NotObserved',
      message: 'The brokers have not been asked yet.',
    };
  }
  const unready = nodesOf(facts)
    .filter(({ ready }) => !ready)
    .map(({ pod }) => pod);
  if (unready.length > 0) {
    return { type, status: 'False', reason: 'PodsNotReady', message: `Not ready: ${unready.join(', ')}.` };
  }
  if (mode === 'kraft' && (quorum?.leader ?? -1) < 0) {
    return { type, status: 'False', reason: 'NoController', message: 'The quorum has no leader.' };
  }
  return {
    type,
    status: 'True',
    reason: 'AllBrokersReady',
    message: 'Every broker is registered and ready.',
  };
}

function progressFinding(rolling: readonly string[], nodes: readonly NodeStatus[]): Finding {
  const type = 'Progressing';
  const unready = nodes.filter(({ ready }) => !ready);
  return rolling.length > 0 || unready.length > 0
    ? {
        type,
        status: 'True',
        reason: 'Changing',
        message: `Pods are being started or replaced: ${[...new Set([...rolling, ...unready.map(({ set }) => set)])].join(', ')}.`,
      }
    : {
        type,
        status: 'False',
        reason: 'Settled',
        message: 'Every pod is ready and has the newest template of its set.',
      };
}

/** A certificate in the Secret counts from the next start; the one that a process presents counts now. */
function validityFinding(certificates: readonly CertificateStatus[], now: Date): Finding {
  const type = 'CertificatesValid';
  if (certificates.length === 0) {
    return { type, status: 'Unknown', reason: 'NotIssued', message: 'No certificate has been issued yet.' };
  }
  const at = now.toISOString();
  const named = (some: readonly CertificateStatus[]) =>
    some.map(({ pod, store }) => `${pod} ${store}`).join(', ');
  const ended = certificates.filter(
    ({ notAfter, presentedNotAfter }) => (presentedNotAfter ?? notAfter) <= at,
  );
  if (ended.length > 0) {
    return {
      type,
      status: 'False',
      reason: 'Expired',
      message: `Expired: ${named(ended)}. Restart these pods: newer certificates are in their Secret.`,
    };
  }
  const stale = certificates.filter(
    ({ notAfter, presentedNotAfter }) =>
      presentedNotAfter !== undefined && presentedNotAfter < notAfter && isStale(presentedNotAfter, now),
  );
  if (stale.length > 0) {
    return {
      type,
      status: 'True',
      reason: 'RestartSoon',
      message: `Still on a certificate that ends soon: ${named(stale)}. Restart the StatefulSet in the next weeks: newer certificates are in its Secret.`,
    };
  }
  return { type, status: 'True', reason: 'Valid', message: 'No certificate is near its end.' };
}

const yearMs = 365 * 24 * 3_600_000;

/** Two thirds of a year's certificate have passed. */
const isStale = (presentedNotAfter: string, now: Date): boolean =>
  Date.parse(presentedNotAfter) - now.getTime() < yearMs / 3;
