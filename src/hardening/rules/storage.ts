import { literal, type Value } from '../configuration.ts';
import { pointerTo, type Draft, type Rule, type Said } from '../draft.ts';
import { dataVolumes, type DataVolume } from '../layout.ts';
import type { Container } from '../model.ts';
import { withoutSlash } from '../mounts.ts';

const within = (path: string, mountPath: string) => `${path}/`.startsWith(`${mountPath}/`);

/** A directory below the mount: a volume's root may have a lost+found that Kafka takes for a broken partition. */
const below = (mountPath: string) => `${mountPath}/kafka`;

const volumesPath = '/spec/template/spec/volumes';

type VolumeMount = NonNullable<Container['volumeMounts']>[number];

const shared = ({ set }: Draft) =>
  (set.spec?.replicas ?? 1) > 1 ? ', and two pods on one node write into the same directory' : '';

/** No claim template is mounted: says what the data lies on instead, and gives a directory for it. */
function withoutClaim(draft: Draft): string {
  const mounts = (draft.container.volumeMounts ?? []).filter(
    (m) =>
      m.readOnly !== true &&
      (draft.pin.generation >= 3 || (m.subPath === undefined && m.subPathExpr === undefined)),
  );
  const volumes = draft.pod.volumes ?? [];
  const mountOf = (name: string | undefined) => mounts.find((m) => m.name === name);
  const named = volumes.find((v) => v.persistentVolumeClaim !== undefined && mountOf(v.name));
  const host = volumes.find((v) => v.hostPath !== undefined && mountOf(v.name));
  if (named !== undefined)
    sharedClaim(draft, named.persistentVolumeClaim?.claimName ?? '', mountOf(named.name));
  else draft.report({ ...lossOf(draft, host?.hostPath?.path), strict: 'refuse' });
  const mount =
    mountOf(named?.name) ?? mountOf(host?.name) ?? mounts.find((m) => /kafka|data|log/i.test(m.mountPath));
  return mount === undefined ? '/tmp/kraft-combined-logs' : below(withoutSlash(mount.mountPath));
}

/** How data is lost that lies on no claim. */
function lossOf(draft: Draft, hostPath: string | undefined): Said {
  const [template] = draft.set.spec?.volumeClaimTemplates ?? [];
  if (hostPath !== undefined)
    return {
      path: volumesPath,
      message: `the data lies on a host path (${hostPath}): it is lost when the pod moves${shared(draft)}`,
    };
  if (template !== undefined)
    return {
      path: '/spec/volumeClaimTemplates/0',
      message: `the claim template ${template.metadata?.name} is mounted nowhere in the broker's container: the data is lost with the pod`,
      remedy: "Mount it in the broker's container, and set log.dirs to a directory below.",
    };
  return {
    path: '/spec/volumeClaimTemplates',
    message: 'the data lies on ephemeral storage: it is lost with the pod',
  };
}

function sharedClaim(draft: Draft, claim: string, mount: VolumeMount | undefined): void {
  const many = (draft.set.spec?.replicas ?? 1) > 1;
  if (many && mount?.subPathExpr !== undefined)
    return draft.report({
      path: volumesPath,
      message: `all replicas share the claim ${claim}, each in a directory of its own: one disk holds every copy`,
      severity: 'warning',
    });
  draft.report({
    path: volumesPath,
    message: many
      ? `all replicas share the claim ${claim}: the data of several brokers cannot lie in one`
      : `the data lies on the claim ${claim}, which a second replica could not have`,
    severity: many ? 'error' : 'warning',
    ...(many ? { strict: 'refuse' as const } : {}),
  });
}

/** The log directories where claims are mounted: the manifest's own if they all lie on one of them. */
function onClaims(draft: Draft, [volume, ...others]: [DataVolume, ...DataVolume[]], given: Value): void {
  const text = literal(given);
  const { delivery } = draft.configuration;
  if (delivery.kind === 'file' && delivery.own && text === undefined)
    return draft.setting('log.dirs', '=', below(volume.mountPath));
  const path = pointerTo(draft.containerIndex, 'from' in given ? given.from : '/volumeMounts');
  if (text === undefined) {
    if (others.length > 0)
      draft.report({
        path,
        message: `several claims are mounted; ${volume.mountPath} is taken for the log directories`,
        remedy: 'Set KAFKA_LOG_DIRS to the directories that shall hold data.',
        severity: 'warning',
      });
    return draft.setting('log.dirs', '?=', below(volume.mountPath));
  }
  const mounts = [volume, ...others].map((v) => v.mountPath);
  const off = text.split(',').find((dir) => !mounts.some((m) => within(dir.trim(), m)));
  if (off === undefined) return draft.setting('log.dirs', '?=', text);
  draft.unsafe({
    path,
    message: `the log directory ${off} is on none of the mounted claims; ${below(volume.mountPath)} is`,
    remedy: 'Set KAFKA_LOG_DIRS to a directory below the mounted claim.',
    severity: 'warning',
  });
  draft.setting('log.dirs', '=', below(volume.mountPath));
}

export const storage: Rule = {
  id: 'storage',
  title: 'Log directories on the volume',
  why: "The images write to /tmp unless told otherwise (apache/kafka: /tmp/kraft-combined-logs, not the volume it declares), so a mounted claim stays empty and the data goes with the pod. Claim templates are never invented: their size and class are the user's to choose.",
  remedy: "Add a volumeClaimTemplate and mount it in the broker's container.",
  severity: 'error',
  since: 1,
  apply(draft) {
    const several = draft.configuration.property('log.dirs');
    const single = draft.configuration.property('log.dir');
    const given = literal(several) === undefined && literal(single) !== undefined ? single : several;
    const [first, ...others] = dataVolumes(draft.set, draft.container, draft.pin.generation);
    if (first !== undefined) return onClaims(draft, [first, ...others], given);
    const fallback = withoutClaim(draft);
    draft.setting('log.dirs', '?=', literal(given) ?? fallback);
  },
};
