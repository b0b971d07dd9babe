import { keys, keysSecretOf, mounts, objectsOf, sidecarPorts } from '../../names.ts';
import { wrapScript } from '../command.ts';
import { podPath, type Draft, type Rule } from '../draft.ts';
import { keepsNodeId } from '../node-id.ts';
import { launcherFor } from '../launcher/launcher.ts';
import { dataVolumes } from '../layout.ts';
import { factsUseOf, sharesFacts } from '../membership.ts';
import { launcherCall, volumes } from '../reserved.ts';
import type { Json } from '../tree.ts';
import { asksToStop } from './pre-stop.ts';

/** Puts the launcher before what starts Kafka, wherever the manifest calls it. */
function wrapStart(draft: Draft): void {
  const { container, containerPath, start, pin } = draft;
  switch (start.kind) {
    case 'image': {
      // args replaces the image's CMD only: an ENTRYPOINT stays where it may come first.
      const { startField, start: words } = pin.profile;
      return draft.put([...containerPath, startField], [...launcherCall, ...words]);
    }
    case 'program':
    case 'file': {
      const list = container[start.field] ?? [];
      // Behind a shell the launcher is its script, and finds its way to bash by itself.
      const call =
        start.kind === 'program'
          ? launcherCall
          : [...launcherCall.slice(start.interpreter ? 1 : 0), '--script'];
      return draft.put([...containerPath, start.field], list.toSpliced(start.index, 0, ...call));
    }
    case 'shell': {
      const list = container[start.field] ?? [];
      return draft.put(
        [...containerPath, start.field],
        list.with(start.index, wrapScript(start, launcherCall, { mayExec: pin.generation >= 3 })),
      );
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
    ...(draft.pin.generation >= 3 ? memberVariables(draft) : {}),
  };
}

/** What the third generation of the launcher is told beside that. */
function memberVariables(draft: Draft): Record<string, string | number> {
  const { layout, pin, role } = draft;
  const kept = (layout.external ?? []).filter((e) => e.from !== '');
  return {
    WARDEN_CLUSTER: layout.cluster,
    WARDEN_ROLE: role,
    WARDEN_DIALECT: pin.profile.dialect,
    WARDEN_STORES: pin.profile.stores,
    WARDEN_CONTROLLER_LISTENER: pin.profile.controllerListener,
    WARDEN_FACTS: factsUseOf(draft),
    ...volumesOf(draft),
    ...(sharesFacts(draft)
      ? { WARDEN_RF: layout.replicationFactor, WARDEN_MIN_ISR: layout.minInsyncReplicas }
      : {}),
    ...(kept.length === 0
      ? {}
      : { WARDEN_EXTERNAL: kept.map(({ name, from, port }) => `${name}=${from}:${port}`).join(' ') }),
    ...(rendersFile(draft) ? { WARDEN_RUN: mounts.run } : {}),
    ...(asksToStop(draft)
      ? { WARDEN_STOPS: `${objectsOf(layout.cluster).warden}.${draft.namespace}.svc:${sidecarPorts.health}` }
      : {}),
  };
}

/** Where claims are mounted: a log directory elsewhere goes with the pod. */
function volumesOf({ set, container, pin, layout }: Draft): Record<string, string> {
  if (layout.storage !== 'claim') return {};
  const mounts = dataVolumes(set, container, pin.generation).map((v) => v.mountPath);
  return mounts.length === 0 ? {} : { WARDEN_VOLUMES: mounts.join(' ') };
}

/** True where the launcher writes files: a configuration of its own, or the copy of a script. */
const rendersFile = ({ configuration, pin, start }: Draft): boolean =>
  pin.generation >= 3 &&
  (configuration.delivery.kind === 'file' || start.kind === 'file' || pin.profile.dialect === 'bitnami');

const field = (name: string, fieldPath: string): Json => ({ name, valueFrom: { fieldRef: { fieldPath } } });

function mount(draft: Draft): void {
  const script: Json = { name: launcherFor(draft.pin.generation).name, defaultMode: 0o555 };
  const keystores: Json = { secretName: keysSecretOf(draft.set.metadata?.name ?? ''), defaultMode: 0o440 };
  draft.append(
    [...podPath, 'volumes'],
    [
      { name: volumes.launcher, configMap: script },
      { name: volumes.keys, secret: keystores },
      ...(rendersFile(draft) ? [{ name: volumes.run, emptyDir: { medium: 'Memory' } }] : []),
    ],
  );
  draft.append(
    [...draft.containerPath, 'volumeMounts'],
    [
      { name: volumes.launcher, mountPath: mounts.launcher, readOnly: true },
      { name: volumes.keys, mountPath: mounts.keys, readOnly: true },
      ...(rendersFile(draft) ? [{ name: volumes.run, mountPath: mounts.run }] : []),
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
    const labels = [...podPath.slice(0, 2), 'metadata', 'labels'];
    draft.put([...labels, keys.node], draft.layout.cluster);
    if (draft.pin.generation >= 3 && draft.role !== 'controller')
      draft.put([...labels, keys.broker], draft.layout.cluster);
    wrapStart(draft);
    // The kubelet resolves $(WARDEN_POD) only in entries that stand behind it: the settings come last.
    draft.append(environment, [
      field('WARDEN_POD', 'metadata.name'),
      ...(asksToStop(draft) ? [field('WARDEN_POD_UID', 'metadata.uid')] : []),
      ...Object.entries(variables(draft)).map(([name, value]) => ({ name, value: String(value) })),
    ]);
    mount(draft);
  },
};
