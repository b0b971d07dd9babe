import { pointerTo } from '../hardening/draft.ts';
import { harden, isHardened } from '../hardening/harden.ts';
import type { Context, Finding, Outcome, StatefulSet } from '../hardening/model.ts';
import { escaped } from '../hardening/tree.ts';
import { keys } from '../names.ts';
import { configurationFindings } from './configuration-check.ts';
import type { UpgradeFinding } from './finding.ts';
import { type Manifest, manifestOf } from './manifest.ts';
import { metadataFeature } from './metadata-versions.ts';
import { preflight } from './preflight.ts';
import { upgradeRule } from './rule.ts';

/**
 * Hardens as the core does, and says of a new version, or of a setting that the version does not read, what is to be done:
 * in `strict` by refusing. What is finalized only the sidecar knows; it looks before it rolls anything out.
 */
export function hardenAndCheck(workload: StatefulSet, context: Context): Outcome {
  const outcome = harden(workload, context);
  if (outcome.decision !== 'hardened' && outcome.decision !== 'unchanged') return outcome;
  const now = manifestOf(outcome.workload);
  if (now === undefined) return outcome;
  const old = context.old !== undefined && isHardened(context.old) ? manifestOf(context.old) : undefined;
  const found = newFindings(now, old);
  if (found.length === 0) return outcome;
  const isStrict = (workload.metadata?.annotations?.[keys.mode] ?? context.mode) === 'strict';
  const refused = isStrict ? found.filter(isOfManifest) : [];
  const findings = [
    ...outcome.findings,
    ...found.map((one) => findingOf(now, one, refused.includes(one) ? 'refused' : 'reported')),
  ];
  return refused.length === 0
    ? { ...outcome, findings }
    : { decision: 'refused', patch: [], findings, workload };
}

/** What a write brings that was not so before it; a set that stays as it is gets no word about it again. */
function newFindings(now: Manifest, old: Manifest | undefined): UpgradeFinding[] {
  const told = new Set(old === undefined ? [] : ownFindings(old).map(keyOf));
  const changes = old !== undefined && old.image !== now.image;
  const running = { versions: old?.version === undefined ? [] : [old.version], mode: old?.mode };
  const crossing = changes ? preflight(now, running).findings : [];
  const all = [...crossing, ...ownFindings(now)].filter(({ field }) => field !== metadataFeature);
  return all.filter(
    (one, index) => !told.has(keyOf(one)) && all.findIndex((other) => keyOf(other) === keyOf(one)) === index,
  );
}

const ownFindings = (manifest: Manifest): UpgradeFinding[] =>
  manifest.version === undefined ? [] : configurationFindings(manifest, { to: manifest.version });

const keyOf = ({ field, message }: UpgradeFinding): string => `${field} ${message}`;

/** Something that the author can write otherwise, not a note about clients or defaults. */
const isOfManifest = ({ severity, field, from }: UpgradeFinding): boolean =>
  severity === 'problem' || (from !== undefined && field !== 'image');

function findingOf(
  { containerIndex }: Manifest,
  { severity, field, message, remedy, from }: UpgradeFinding,
  action: Finding['action'],
): Finding {
  const path = field.startsWith('kafka-warden.io/')
    ? `/metadata/annotations/${escaped(field)}`
    : pointerTo(containerIndex, from ?? '/image');
  return {
    rule: upgradeRule.id,
    severity: severity === 'problem' || action === 'refused' ? 'error' : 'warning',
    path,
    message,
    remedy,
    action,
  };
}
