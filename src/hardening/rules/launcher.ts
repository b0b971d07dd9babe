import { keys, keysSecretOf, mounts } from '../../names.ts';
import { wrapScript } from '../command.ts';
import { podPath, type Draft, type Rule } from '../draft.ts';
import { launcherFor } from '../launcher/launcher.ts';
import { entrypoint } from '../profiles/apache-kafka.ts';
import { launcherCall, volumes } from '../reserved.ts';
import type { Json } from '../tree.ts';
import { keepsNodeId } from './identity.ts';

/** Puts the launcher before the image's entrypoint, wherever the manifest calls it. */
function wrapStart(draft: Draft): void {
  const { container, containerPath, start } = draft;
  switch (start.kind) {
    case 'image':
      // args replaces the image's CMD only: an ENTRYPOINT stays.
      return draft.put([...containerPath, 'args'], [...launcherCall, entrypoint]);
    case 'entrypoint': {
      const list = container[start.field] ?? [];
      return draft.put([...containerPath, start.field], list.toSpliced(start.index, 0, ...launcherCall));
    }
    case 'shell': {
      const list = container[start.field] ?? [];
      const script = wrapScript(start.script, entrypoint, launcherCall);
      return draft.put([...containerPath, start.field], list.with(start.index, script));
    }
    case 'unknown':
  }
}

/** What the launcher is told beside the settings. */
function variables(draft: Draft): Record<string, string | number> {
  const { layout, namespace, set } = draft;
  return {
    WARDEN_SERVICE: `${layout.service}.${namespace}.svc`,
    WARDEN_VOTERS: layout.voters,
    WARDEN_FIRST_ORDINAL: set.spec?.ordinals?.start ?? 0,
    WARDEN_ID_OFFSET: layout.idOffset,
    WARDEN_NODE_ID: keepsNodeId(draft) ? 'keep' : 'ordinal',
    WARDEN_CONTROLLER_PORT: layout.controllerPort,
    WARDEN_CLUSTER_ID: layout.clusterId,
    WARDEN_STORAGE: layout.storage,
  };
}

function mount(draft: Draft): void {
  const script: Json = { name: launcherFor(draft.profileVersion).name, defaultMode: 0o555 };
  const keystores: Json = { secretName: keysSecretOf(draft.set.metadata?.name ?? ''), defaultMode: 0o440 };
  draft.append(
    [...podPath, 'volumes'],
    [
      { name: volumes.launcher, configMap: script },
      { name: volumes.keys, secret: keystores },
    ],
  );
  draft.append(
    [...draft.containerPath, 'volumeMounts'],
    [
      { name: volumes.launcher, mountPath: mounts.launcher, readOnly: true },
      { name: volumes.keys, mountPath: mounts.keys, readOnly: true },
    ],
  );
}

export const launcher: Rule = {
  id: 'launcher',
  title: 'The launcher applies the settings last',
  why: "Shell code, arguments and mounted files set the same things later than the environment does. A small script in an immutable ConfigMap runs last, applies the settings, decides what only the start can know, and execs the image's own entrypoint.",
  remedy: 'Nothing to do.',
  severity: 'info',
  since: 1,
  apply(draft) {
    const environment = [...draft.containerPath, 'env'];
    draft.put([...podPath.slice(0, 2), 'metadata', 'labels', keys.node], draft.layout.cluster);
    wrapStart(draft);
    // The kubelet resolves $(WARDEN_POD) only in entries that stand behind it: the settings come last.
    draft.append(environment, [
      { name: 'WARDEN_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...Object.entries(variables(draft)).map(([name, value]) => ({ name, value: String(value) })),
    ]);
    mount(draft);
  },
};
