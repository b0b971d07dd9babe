import { keys } from '../names.ts';
import { startOf } from './command.ts';
import { configurationOf, literal } from './configuration.ts';
import { withoutDefaults } from './defaults.ts';
import { applyPatch, patchBetween } from './diff.ts';
import { podPath, runRules, type Facts } from './draft.ts';
import { clusterOf } from './cluster.ts';
import { versionOf } from './image.ts';
import { layoutOf, planLayout } from './layout.ts';
import { malformation } from './malformed.ts';
import type { Context, Decision, Finding, Layout, Mode, Outcome, StatefulSet } from './model.ts';
import { obstacles, type Obstacle } from './obstacles.ts';
import { newestOf, parsePin, pins, textOf, type Pin } from './profiles/index.ts';
import { recognise, type Recognition } from './recognise.ts';
import { parseRecord, recordOf, restored } from './record.ts';
import { withoutReserved } from './reserved.ts';
import { roleOf } from './role.ts';
import { existingSecurity } from './rules/existing-security.ts';
import { rules } from './rules/index.ts';
import { shapeOf } from './shape.ts';
import { elementKey, escaped, put, type Json, type JsonObject, type Path } from './tree.ts';
import { withHandlers } from './vanilla-probes.ts';

type Kafka = Extract<Recognition, { kind: 'kafka' }>;

const annotation = (set: StatefulSet | undefined, key: string) => set?.metadata?.annotations?.[key];
const annotationPath = (key: string) => `/metadata/annotations/${escaped(key)}`;

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
 * `harden(harden(x)) = harden(x)` and `harden(merge(hardened, vanilla)) = hardened`. Never throws for a malformed object: that
 * is refused with the place and the reason.
 */
export function harden(workload: StatefulSet, context: Context): Outcome {
  if (isOther(workload)) return outcome(workload, 'ignored');
  const malformed = malformation(workload);
  if (malformed !== undefined) return outcome(workload, 'refused', { findings: [unreadable(malformed)] });
  if (workload.metadata?.labels?.[keys.ignore] === 'true') return outcome(workload, 'ignored');
  if (workload.apiVersion !== undefined && workload.apiVersion !== 'apps/v1')
    return recognise(workload).kind === 'none'
      ? outcome(workload, 'ignored')
      : outcome(workload, 'refused', { findings: [removedVersion(workload.apiVersion)] });
  const standing = standingOf(workload, context);
  const before = withoutDefaults(workload as unknown as JsonObject);
  const vanilla = vanillaFrom(before, context.old ?? workload);
  const seen = recognise(vanilla);
  if (seen.kind === 'none' && !standing.stored) return outcome(workload, 'ignored');
  if (seen.kind !== 'kafka')
    return leftAlone(workload, describe(seen), { ...standing, pinned: standing.stored });
  const reason = notOurs(workload, context);
  if (reason !== undefined) return leftAlone(workload, [reason], standing);
  const facts = factsOf(vanilla, seen, { context, workload, mode: standing.mode });
  const inTheWay = obstacles(facts);
  if (inTheWay.length > 0) {
    const left = leftAlone(workload, inTheWay, standing);
    return { ...left, findings: [...left.findings, ...ownSecurity(facts, inTheWay)], workload };
  }
  return hardenKafka(workload, before, facts);
}

/** Something that is no StatefulSet at all. A manifest may leave its kind out. */
const isOther = (object: unknown) =>
  typeof object === 'object' &&
  object !== null &&
  'kind' in object &&
  object.kind !== undefined &&
  object.kind !== 'StatefulSet';

const unreadable = ({ path, message }: { path: string; message: string }): Finding => ({
  rule: 'malformed',
  severity: 'error',
  path,
  message,
  remedy: rules.find((r) => r.id === 'malformed')?.remedy ?? '',
  action: 'refused',
});

const removedVersion = (version: string): Finding => ({
  rule: 'malformed',
  severity: 'error',
  path: '/apiVersion',
  message: `StatefulSet has no version ${version} any more: apps/v1beta1 and apps/v1beta2 went with Kubernetes 1.16`,
  remedy: 'Write apiVersion: apps/v1, with spec.selector equal to the labels of the template.',
  action: 'refused',
});

/** How a workload stands to us before anything is decided. */
interface Standing {
  mode: Mode;
  /** The stored object is hardened. */
  stored: boolean;
  /** The stored object, or the new one itself, is hardened: it must not quietly become unhardened. */
  pinned: boolean;
}

/**
 * The mode is the workload's annotation, else the installation's default, else `harden`. What is hardened stays so: `audit` is
 * for sets that are not.
 */
function standingOf(workload: StatefulSet, { old, mode = 'harden' }: Context): Standing {
  const own = annotation(workload, keys.mode);
  const asked = own === 'audit' || own === 'harden' || own === 'strict' ? own : mode;
  const stored = isHardened(old);
  const pinned = stored || (old === undefined && isHardened(workload));
  return { mode: asked === 'audit' && pinned ? 'harden' : asked, stored, pinned };
}

/** Why a Kafka set is none that may be written: it runs unhardened, or its pin cannot be followed. */
function notOurs(workload: StatefulSet, { old }: Context): Obstacle | undefined {
  if (old !== undefined && !isHardened(old)) return unadopted;
  if (isUnknown(pinTextOf(workload, old))) return unknownPin(workload, old);
  const keeper = old ?? workload;
  const lost = layoutOf(old) === undefined && layoutOf(workload) === undefined;
  if (lost && (isHardened(old) || annotation(keeper, keys.layout) !== undefined)) return lostLayout;
  return undefined;
}

/** Leaves a workload as it is and says why; refuses where leaving it would be worse. */
function leftAlone(workload: StatefulSet, why: Obstacle[], { mode, pinned }: Standing): Outcome {
  const refuse =
    pinned || why.some((o) => o.isFatal === true) || (mode === 'strict' && !why.includes(unadopted));
  const findings = why.map(({ isSecurity: _is, isFatal: _fatal, ...o }): Finding => {
    const rule = rules.find((r) => r.id === o.rule);
    return {
      ...o,
      severity: refuse ? 'error' : (rule?.severity ?? 'warning'),
      action: refuse ? 'refused' : 'reported',
    };
  });
  return outcome(workload, refuse ? 'refused' : 'reported', { findings });
}

/** Of a set with security of its own: what of it is sound, and what is not. */
function ownSecurity(facts: Facts, why: readonly Obstacle[]): Finding[] {
  if (!why.some((o) => o.isSecurity === true)) return [];
  return existingSecurity(facts).map((said) => ({
    rule: 'existing-security',
    remedy: rules.find((r) => r.id === 'existing-security')?.remedy ?? '',
    ...said,
    action: 'reported',
  }));
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
  path: annotationPath(keys.profile),
  message: `the pinned profile "${annotation(workload, keys.profile) ?? annotation(old, keys.profile)}" is not supported here`,
  remedy: `Use one of ${pins.map(textOf).join(', ')}.`,
});

const lostLayout: Obstacle = {
  rule: 'annotations',
  path: annotationPath(keys.layout),
  message: `the annotation ${keys.layout} cannot be read, and ports, voters and node ids of a running cluster are not guessed`,
  remedy: 'Write the annotation back as it was, for example from a backup of the StatefulSet.',
};

/** A pin that somebody changed on purpose, else the stored one. */
const pinTextOf = (workload: StatefulSet, old: StatefulSet | undefined) =>
  annotation(workload, keys.profile) ?? annotation(old, keys.profile);

const isUnknown = (pin: string | undefined) => pin !== undefined && parsePin(pin) === undefined;

/** The version to harden by: the pinned one, or, of a new set and of one whose image is of another family now, the newest. */
function pinFor({ profile }: Kafka, { workload, context }: Pick<Given, 'workload' | 'context'>): Pin {
  const pin = parsePin(pinTextOf(workload, context.old));
  return pin?.profile.family === profile.family ? pin : newestOf(profile);
}

/**
 * The object as its author means it: nothing of ours. `before` has no API defaults; `keeper` is the object whose record counts,
 * the stored one where there is one.
 */
function vanillaFrom(before: JsonObject, keeper: StatefulSet): StatefulSet {
  const hardened = isHardened(keeper);
  const bare = withoutReserved(before, { hardened });
  const record = parseRecord(annotation(keeper, keys.inverse));
  if (record === undefined) return bare as unknown as StatefulSet;
  return withHandlers(restored(bare, record), bare) as unknown as StatefulSet;
}

/** The vanilla form of a hardened object by its own record, without API defaults. */
export const vanillaOf = (workload: StatefulSet): StatefulSet =>
  vanillaFrom(withoutDefaults(workload as unknown as JsonObject), workload);

interface Given {
  context: Context;
  workload: StatefulSet;
  mode: Mode;
}

function factsOf(set: StatefulSet, seen: Kafka, { context, workload, mode }: Given): Facts {
  const { namespace, old, siblings } = context;
  const pod = set.spec?.template.spec ?? { containers: [] };
  const { container, index, image, profile } = seen;
  const pin = pinFor(seen, { workload, context });
  const start = startOf(container, { entrypoints: profile.entrypoints, pod });
  const configuration = configurationOf(container, { start, pod, profile });
  const shape = shapeOf(configuration, pin.generation);
  const kafkaVersion = versionOf(annotation(set, keys.kafkaVersion)) ?? profile.kafkaOf(image);
  const seenRole = roleOf({ set, configuration, profile, kafkaVersion });
  const cluster = clusterOf(set, { shape, configuration, role: seenRole, namespace });
  const kept = layoutOf(old) ?? sameCluster(layoutOf(workload), cluster);
  const clusterId = profile.clusterIdVariables
    .map((v) => literal(configuration.variable(v)))
    .find((v) => v !== undefined);
  const layout =
    kept ??
    planLayout({
      set,
      container,
      configuration,
      shape,
      role: seenRole,
      cluster,
      namespace,
      clusterId,
      generation: pin.generation,
      hasNames: hasNames(set, context),
    });
  return {
    set,
    workload,
    pod,
    container,
    containerIndex: index,
    containerPath: [...podPath, 'containers', `[${elementKey(container)}]`],
    configuration,
    shape,
    start,
    layout,
    role: layout.role ?? 'combined',
    namespace,
    mode,
    old,
    oldServiceName: old && vanillaOf(old).spec?.serviceName,
    siblings,
    recordLost: isLost(annotation(old ?? workload, keys.inverse)),
    kafkaVersion,
    pin,
  };
}

/** False where the governing Service is known, and gives the pods no names because it is not headless. */
function hasNames(set: StatefulSet, { services }: Context): boolean {
  const governing = services?.find((s) => s.metadata?.name === set.spec?.serviceName);
  return governing === undefined || governing.spec?.clusterIP === 'None';
}

/** A layout that came with a manifest: another cluster's, if it was copied from there. */
const sameCluster = (layout: Layout | undefined, cluster: string) =>
  layout?.cluster === cluster ? layout : undefined;

const isLost = (text: string | undefined) => text !== undefined && parseRecord(text) === undefined;

function hardenKafka(workload: StatefulSet, before: JsonObject, facts: Facts): Outcome {
  const { hardened, settings, findings, writes } = runRules(rules, facts);
  if (findings.some((f) => f.action === 'refused')) return outcome(workload, 'refused', { findings });
  if (facts.mode === 'audit')
    return outcome(workload, 'reported', {
      findings: findings.map((f) => ({ ...f, action: 'reported' as const })),
    });
  const environment = [...facts.containerPath, 'env'];
  const complete = put(hardened, [...environment, '[WARDEN_SETTINGS]'], {
    name: 'WARDEN_SETTINGS',
    value: settings.join('\n'),
  });
  const record = recordOf(facts.set as unknown as Json, withoutReserved(complete, { hardened: true }));
  const annotations: Record<string, string> = {
    ...facts.set.metadata?.annotations,
    [keys.profile]: textOf(facts.pin),
    [keys.layout]: JSON.stringify(facts.layout),
    [keys.inverse]: JSON.stringify(record),
  };
  const after = put(complete, ['metadata', 'annotations'], annotations);
  const patch = patchBetween(before, after, (path) => ruleFor(path, writes));
  return outcome(workload, 'hardened', { patch, findings });
}

/** The rule that wrote a place, one around it, or one within it. */
function ruleFor(path: Path, writes: readonly { path: Path; rule: string }[]): string {
  const contains = (outer: Path, inner: Path) =>
    outer.length <= inner.length && outer.every((segment, i) => segment === inner[i]);
  const around = writes.filter((w) => contains(w.path, path)).sort((a, b) => b.path.length - a.path.length);
  const found = around[0] ?? writes.find((w) => contains(path, w.path));
  return found?.rule ?? (path[0] === 'metadata' ? 'profile' : 'launcher');
}
