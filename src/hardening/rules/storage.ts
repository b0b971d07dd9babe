import { literal } from '../configuration.ts';
import { pointerTo, type Draft, type Rule } from '../draft.ts';
import { dataVolumes } from '../layout.ts';

const within = (path: string, mountPath: string) => `${path}/`.startsWith(`${mountPath}/`);

/** A directory below the mount: a volume's root may have a lost+found that Kafka takes for a broken partition. */
const below = (mountPath: string) => `${mountPath}/kafka`;

function ephemeral(draft: Draft): void {
  const mounted = new Set((draft.container.volumeMounts ?? []).map((m) => m.name));
  const volumes = (draft.pod.volumes ?? []).filter((v) => mounted.has(v.name));
  const named = volumes.find((v) => v.persistentVolumeClaim !== undefined);
  const host = volumes.find((v) => v.hostPath !== undefined);
  const path = '/spec/volumeClaimTemplates';
  if (named !== undefined)
    draft.report({
      path: '/spec/template/spec/volumes',
      message: `all replicas share the claim ${named.persistentVolumeClaim?.claimName}: the data of several brokers cannot lie in one`,
      ...((draft.set.spec?.replicas ?? 1) > 1
        ? { severity: 'error' as const }
        : { severity: 'warning' as const }),
      strict: 'refuse',
    });
  else if (host !== undefined)
    draft.report({
      path: '/spec/template/spec/volumes',
      message: `the data lies on a host path (${host.hostPath?.path}): it is lost when the pod moves`,
      strict: 'refuse',
    });
  else
    draft.report({
      path,
      message: 'the data lies on ephemeral storage: it is lost with the pod',
      strict: 'refuse',
    });
}

export const storage: Rule = {
  id: 'storage',
  title: 'Log directories on the volume',
  why: "The images write to /tmp unless told otherwise (apache/kafka: /tmp/kraft-combined-logs, not the volume it declares), so a mounted claim stays empty and the data goes with the pod. Claim templates are never invented: their size and class are the user's to choose.",
  remedy: "Add a volumeClaimTemplate and mount it in the broker's container.",
  severity: 'error',
  since: 1,
  apply(draft) {
    const [volume, second] = dataVolumes(draft.set, draft.container);
    const value = draft.configuration.property('log.dirs');
    const single = draft.configuration.property('log.dir');
    const given = literal(value) ?? literal(single);
    if (volume === undefined) {
      ephemeral(draft);
      const mount = draft.container.volumeMounts?.find(
        (m) => /kafka|data|log/i.test(m.mountPath) && m.readOnly !== true && m.subPath === undefined,
      );
      draft.setting(
        'log.dirs',
        '?=',
        mount === undefined ? '/tmp/kraft-combined-logs' : below(mount.mountPath.replace(/\/+$/, '')),
      );
      return;
    }
    if (second !== undefined && given === undefined)
      draft.report({
        path: pointerTo(draft.containerIndex, '/volumeMounts'),
        message: `several claims are mounted; ${volume.mountPath} is taken for the log directories`,
        remedy: 'Set KAFKA_LOG_DIRS to the directories that shall hold data.',
        severity: 'warning',
      });
    const mounts = dataVolumes(draft.set, draft.container).map((v) => v.mountPath);
    const off = given?.split(',').find((dir) => !mounts.some((m) => within(dir.trim(), m)));
    if (off !== undefined && 'from' in value)
      draft.unsafe({
        path: pointerTo(draft.containerIndex, value.from),
        message: `the log directory ${off} is on none of the mounted claims: ${below(volume.mountPath)} is used instead`,
        remedy: 'Set KAFKA_LOG_DIRS to a directory below the mounted claim.',
        severity: 'warning',
      });
    draft.setting(
      'log.dirs',
      off === undefined ? '?=' : '=',
      given !== undefined && off === undefined ? given : below(volume.mountPath),
    );
  },
};
