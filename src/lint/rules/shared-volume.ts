import type { LintRule, Said, Scene } from '../scene.ts';
import type { Workload } from '../workload.ts';

interface Claim {
  workload: Workload;
  name: string;
  path: string;
}

const claimsOf = (workload: Workload): Claim[] =>
  (workload.pod.volumes ?? []).flatMap((volume, i) => {
    const claim = volume.persistentVolumeClaim;
    if (claim?.claimName === undefined || claim.readOnly === true) return [];
    return [{ workload, name: claim.claimName, path: `/spec/template/spec/volumes/${i}` }];
  });

function check({ workloads, brokers }: Scene): Said[] {
  const running = new Set(brokers.map((b) => b.workload));
  const claims = workloads.flatMap(claimsOf);
  const said = new Set<Claim>();
  return claims.flatMap((claim, i): Said[] => {
    const first = claims
      .slice(0, i)
      .find(
        (c) =>
          c.name === claim.name &&
          c.workload.namespace === claim.workload.namespace &&
          (c.workload.name !== claim.workload.name || c.workload.kind !== claim.workload.kind) &&
          (running.has(c.workload) || running.has(claim.workload)),
      );
    if (first === undefined || said.has(claim)) return [];
    said.add(claim);
    return [
      {
        subject: claim.workload.subject,
        path: claim.workload.pointer(claim.path),
        message: `${claim.workload.kind} ${claim.workload.name} writes to the claim ${claim.name}, and so does ${first.workload.kind} ${first.workload.name}`,
      },
    ];
  });
}

export const sharedVolume: LintRule = {
  doc: {
    id: 'shared-volume',
    title: 'A claim belongs to one broker',
    why: "Two processes that write one directory destroy each other's logs; Kafka locks a log directory, so that the second broker does not even start.",
    remedy: 'Use a volumeClaimTemplate: it makes a claim for each pod.',
    severity: 'error',
  },
  check,
};
