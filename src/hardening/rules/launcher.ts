import { keys, keysSecretOf, mounts } from '../../names.ts';
import { wrapScript } from '../command.ts';
import { podPath, type Draft, type Rule } from '../draft.ts';
import { launcherFor } from '../launcher/launcher.ts';
import { entrypoint } from '../profiles/apache-kafka.ts';
import type { Json } from '../tree.ts';
import { keepsNodeId } from './identity.ts';

const call = ['/bin/bash', `${mounts.launcher}/launch`] as const;

/** Puts the launcher before the image's entrypoint, wherever the manifest calls it. */
function wrapStart(draft: Draft): void {
  const { container, containerPath, start } = draft;
  switch (start.kind) {
    case 'image':
      // args replaces the image's CMD only: an ENTRYPOINT stays.
      return draft.put([...containerPath, 'args'], [...call, entrypoint]);
    case 'entrypoint':
      return draft.put([...containerPath, start.field], [...call, ...(container[start.field] ?? [])]);
    case 'shell': {
      const lines = [...(container[start.field] ?? [])];
      lines[start.index] = wrapScript(start.script, entrypoint, call);
      return draft.put([...containerPath, start.field], lines);
    }
    case 'unknown':
  }
}

export const launcher: Rule = {
  id: 'launcher',
  title: 'The launcher applies the settings last',
  why: "Shell code, arguments and mounted files set the same things later than the environment does. A small script in an immutable ConfigMap runs last, applies the settings, decides what only the start can know, and execs the image's own entrypoint.",
  remedy: 'Nothing to do.',
  severity: 'info',
  since: 1,
  apply(draft) {
    const { containerPath, layout, namespace, set } = draft;
    const env = (name: string, value: string | number) =>
      draft.put([...containerPath, 'env', `[${name}]`], { name, value: String(value) });
    draft.put([...podPath.slice(0, 2), 'metadata', 'labels', keys.node], layout.cluster);
    wrapStart(draft);
    env('WARDEN_SERVICE', `${layout.service}.${namespace}.svc`);
    env('WARDEN_VOTERS', layout.voters);
    env('WARDEN_FIRST_ORDINAL', set.spec?.ordinals?.start ?? 0);
    env('WARDEN_ID_OFFSET', layout.idOffset);
    env('WARDEN_NODE_ID', keepsNodeId(draft) ? 'keep' : 'ordinal');
    env('WARDEN_CONTROLLER_PORT', layout.controllerPort);
    env('WARDEN_CLUSTER_ID', layout.clusterId);
    env('WARDEN_STORAGE', layout.storage);
    const script: Json = { name: launcherFor(draft.profileVersion).name, defaultMode: 0o555 };
    draft.put([...podPath, 'volumes', '[kafka-warden-launcher]'], {
      name: 'kafka-warden-launcher',
      configMap: script,
    });
    draft.put([...podPath, 'volumes', '[kafka-warden-keys]'], {
      name: 'kafka-warden-keys',
      secret: { secretName: keysSecretOf(set.metadata?.name ?? ''), defaultMode: 0o440 },
    });
    for (const [name, mountPath] of [
      ['kafka-warden-launcher', mounts.launcher],
      ['kafka-warden-keys', mounts.keys],
    ] as const)
      draft.put([...containerPath, 'volumeMounts', `[${mountPath}]`], { name, mountPath, readOnly: true });
  },
};
