import { keys } from '../names.ts';
import { startOf } from './command.ts';
import { configurationOf, literal } from './configuration.ts';
import { removeDefaults } from './defaults.ts';
import { applyPatch, patchBetween } from './diff.ts';
import { podPath, runRules, type Facts } from './draft.ts';
import { versionOf } from './image.ts';
import { clusterOf, layoutOf, planLayout } from './layout.ts';
import type { Context, Decision, Finding, Mode, Outcome, StatefulSet } from './model.ts';
import { obstacles, type Obstacle } from './obstacles.ts';
import {
  entrypoint,
  mountedDirectory,
  newest,
  pinOf,
  versionOfPin,
  versions,
} from './profiles/apache-kafka.ts';
import { recognise, type Recognition } from './recognise.ts';
import { parseRecord, recordOf, restore } from './record.ts';
import { removeReserved } from './reserved.ts';
import { rules } from './rules/index.ts';
import { shapeOf } from './shape.ts';
import { clone, elementKey, pathText, put, type Json, type JsonObject, type Path } from './tree.ts';

type Kafka = Extract<Recognition, { kind: 'kafka' }>;

const annotation = (set: StatefulSet | undefined, key: string) => set?.metadata?.annotations?.[key];

/** The mode of a workload: its annotation, else the installation's default, else `harden`. */
function modeOf(set: StatefulSet, context: Context): Mode {
  const own = annotation(set, keys.mode);
  return own === 'audit' || own === 'harden' || own === 'strict' ? own : (context.mode ?? 'harden');
}

/** True for a workload that is or was written by the mutator: it has a pin. */
export const isHardened = (set: StatefulSet | undefined) => annotation(set, keys.profile) !== undefined;

function outcome(
  workload: StatefulSet,
  decision: Decision,
  rest: Partial<Pick<Outcome, 'patch' | 'findings'>> = {},
): Outcome {
  const { patch = [], findings = [] } = rest;
  let patched: StatefulSet | undefined;
  return {
    decision,
    patch,
    findings,
    get workload() {
      return (patched ??= patch.length === 0 ? workload : applyPatch(workload, patch));
    },
  };
}

/**
 * The whole of hardening, as one pure function for the mutator, the validator and the command line.
 *
 * The object is first brought back to its vanilla form: API defaults left out, reserved names taken out, recorded places
 * restored. The rules then run over that, so the result depends only on what the user means, never on how it was written:
 * `harden(harden(x)) = harden(x)` and `harden(merge(hardened, vanilla)) = hardened`.
 */
export function harden(workload: StatefulSet, context: Context): Outcome {
  if (workload.metadata?.labels?.[keys.ignore] === 'true') return outcome(workload, 'ignored');
  const { old } = context;
  const mode = modeOf(workload, context);
  const vanilla = vanillaOf(workload, old);
  const seen = recognise(vanilla);
  const pinned = isHardened(old) || (old === undefined && isHardened(workload));
  if (seen.kind === 'none' && !isHardened(old)) return outcome(workload, 'ignored');
  if (seen.kind !== 'kafka') return leftAlone(workload, describe(seen), { mode, pinned: isHardened(old) });
  if (old !== undefined && !isHardened(old)) return leftAlone(workload, [unadopted], { mode, pinned: false });
  const version = pinnedVersion(workload, old);
  if (version === undefined) return leftAlone(workload, [unknownPin(workload, old)], { mode, pinned: true });
  const facts = factsOf(vanilla, seen, { ...context, mode, version, workload });
  const inTheWay = obstacles({ ...facts, kafkaVersion: facts.kafkaVersion });
  if (inTheWay.length > 0) return leftAlone(workload, inTheWay, { mode, pinned });
  return hardenKafka(workload, facts);
}

interface Standing {
  mode: Mode;
  /** The stored object is hardened: it must not quietly become unhardened. */
  pinned: boolean;
}

/** Leaves a workload as it is and says why; refuses where leaving it would be worse. */
function leftAlone(workload: StatefulSet, why: Obstacle[], { mode, pinned }: Standing): Outcome {
  const refuse = pinned || (mode === 'strict' && !why.every((o) => o === unadopted));
  const findings = why.map((o): Finding => {
    const rule = rules.find((r) => r.id === o.rule);
    return {
      ...o,
      severity: refuse ? 'error' : (rule?.severity ?? 'warning'),
      action: refuse ? 'refused' : 'reported',
    };
  });
  return outcome(workload, refuse ? 'refused' : 'reported', { findings });
}

function describe(seen: Exclude<Recognition, Kafka>): Obstacle[] {
  if (seen.kind === 'left-alone')
    return [{ rule: seen.rule, path: seen.path, message: seen.reason, remedy: seen.remedy }];
  return [
    {
      rule: 'image-profile',
      path: '/spec/template/spec/containers',
      message: 'this set was hardened as Kafka, but runs no broker that can be recognised any more',
      remedy: 'Delete the StatefulSet and create it anew, or go back to a known image.',
    },
  ];
}

const unadopted: Obstacle = {
  rule: 'adoption',
  path: '/metadata/annotations',
  message: 'this cluster was running before its namespace was enrolled: it is reported, not touched',
  remedy: rules.find((r) => r.id === 'adoption')?.remedy ?? '',
};

const unknownPin = (workload: StatefulSet, old: StatefulSet | undefined): Obstacle => ({
  rule: 'profile',
  path: `/metadata/annotations/${keys.profile.replace('/', '~1')}`,
  message: `the pinned profile "${annotation(workload, keys.profile) ?? annotation(old, keys.profile)}" is not supported here`,
  remedy: `Use one of ${versions.map(pinOf).join(', ')}.`,
});

/** The version to harden by: a pin that somebody changed on purpose, else the stored one, else the newest. */
function pinnedVersion(workload: StatefulSet, old: StatefulSet | undefined): number | undefined {
  const pin = annotation(workload, keys.profile) ?? annotation(old, keys.profile);
  return pin === undefined ? newest : versionOfPin(pin);
}

/** The object as its author means it: no defaults, nothing of ours. */
export function vanillaOf(workload: StatefulSet, old: StatefulSet | undefined): StatefulSet {
  const { status: _status, ...rest } = workload;
  const vanilla = clone(rest) as unknown as JsonObject;
  removeDefaults(vanilla);
  removeReserved(vanilla);
  const record = parseRecord(annotation(old ?? workload, keys.inverse));
  if (record !== undefined) restore(vanilla, record);
  removeDefaults(vanilla);
  return vanilla;
}

interface Decided extends Context {
  mode: Mode;
  version: number;
  workload: StatefulSet;
}

function factsOf(set: StatefulSet, seen: Kafka, { namespace, mode, old, version, workload }: Decided): Facts {
  const pod = set.spec?.template.spec ?? { containers: [] };
  const { container, index, image } = seen;
  const start = startOf(container, entrypoint);
  const configuration = configurationOf(container, { start, pod, mountedDirectory });
  const shape = shapeOf(configuration);
  const stored = layoutOf(old) ?? layoutOf(workload);
  const clusterId = literal(configuration.variable('CLUSTER_ID'));
  const layout =
    stored?.cluster === clusterOf(set) ? stored : planLayout({ set, container, shape, namespace, clusterId });
  return {
    set,
    pod,
    container,
    containerIndex: index,
    containerPath: [...podPath, 'containers', `[${elementKey(container)}]`],
    configuration,
    start,
    layout,
    namespace,
    mode,
    old,
    kafkaVersion: versionOf(set.metadata?.annotations?.[keys.kafkaVersion] ?? image.tag),
    profileVersion: version,
  };
}

function hardenKafka(workload: StatefulSet, facts: Facts): Outcome {
  const { hardened, settings, findings, writes } = runRules(rules, facts);
  if (findings.some((f) => f.action === 'refused')) return outcome(workload, 'refused', { findings });
  if (facts.mode === 'audit')
    return outcome(workload, 'reported', {
      findings: findings.map((f) => ({ ...f, action: 'reported' as const })),
    });
  const environment = [...facts.containerPath, 'env'];
  put(hardened, [...environment, '[WARDEN_POD]'], {
    name: 'WARDEN_POD',
    valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
  });
  put(hardened, [...environment, '[WARDEN_SETTINGS]'], {
    name: 'WARDEN_SETTINGS',
    value: settings.join('\n'),
  });
  const record = recordBeside(facts.set, hardened);
  const annotations: Record<string, string> = {
    [keys.profile]: pinOf(facts.profileVersion),
    [keys.layout]: JSON.stringify(facts.layout),
    [keys.inverse]: JSON.stringify(record),
  };
  for (const [key, value] of Object.entries(annotations))
    put(hardened, ['metadata', 'annotations', key], value);
  const { status: _status, ...rest } = workload;
  const before = clone(rest) as unknown as JsonObject;
  removeDefaults(before);
  const patch = patchBetween(before, hardened, (path) => ruleFor(path, writes));
  return outcome(workload, 'hardened', { patch, findings });
}

/** The record of everything that is not under a reserved name. */
function recordBeside(vanilla: StatefulSet, hardened: Json) {
  const plain = clone(hardened);
  removeReserved(plain);
  return recordOf(vanilla as unknown as Json, plain);
}

/** The rule that wrote a place, one around it, or one within it. */
function ruleFor(path: Path, writes: Map<string, string>): string {
  for (let length = path.length; length > 0; length--) {
    const rule = writes.get(pathText(path.slice(0, length)));
    if (rule !== undefined) return rule;
  }
  const text = pathText(path);
  for (const [written, rule] of writes) if (written.startsWith(`${text}/`)) return rule;
  return path[0] === 'metadata' ? 'profile' : 'launcher';
}
