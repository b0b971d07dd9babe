import { type FinalizeDecision, type Preflight, blockedBy } from '../../upgrade/index.ts';
import type { Finding } from '../conditions.ts';

/** A set whose pods are to run another image, and what was found of that. */
export interface Judged {
  readonly set: string;
  readonly preflight: Preflight;
}

const versionText = (version: Preflight['to']): string => version?.join('.') ?? 'an unknown version';

/** The condition on images that are being changed; undefined while none is. */
export function upgradeFinding(judged: readonly Judged[]): Finding | undefined {
  const type = 'UpgradeSafe';
  if (judged.length === 0) return undefined;
  const blocked = judged.flatMap(({ set, preflight }) => {
    const problem = blockedBy(preflight);
    return problem === undefined ? [] : [`${set}: ${problem}`];
  });
  if (blocked.length > 0)
    return { type, status: 'False', reason: 'PreflightFailed', message: blocked.join(' ') };
  const unknown = judged.find(({ preflight }) => preflight.to === undefined);
  const warnings = [
    ...new Set(
      judged.flatMap(({ preflight }) => preflight.findings.map((one) => `${one.message}. ${one.remedy}`)),
    ),
  ];
  const steps = judged.map(
    ({ set, preflight: { from, to } }) => `${set} goes from ${versionText(from)} to ${versionText(to)}`,
  );
  const message = [`${steps.join(', ')}.`, ...warnings].join(' ');
  return unknown === undefined
    ? { type, status: 'True', reason: 'PreflightPassed', message }
    : { type, status: 'Unknown', reason: 'VersionUnknown', message };
}

/** The condition on a feature that a person has asked for; undefined where nobody has. */
export function featureFinding(type: string, decision: FinalizeDecision | undefined): Finding | undefined {
  switch (decision?.action) {
    case 'done':
      return { type, status: 'True', reason: 'Finalized', message: decision.message };
    case 'wait':
      return { type, status: 'False', reason: 'Waiting', message: `Not finalized yet: ${decision.message}` };
    case 'refuse':
      return { type, status: 'False', reason: decision.reason, message: decision.message };
    case 'update':
      return { type, status: 'False', reason: 'Finalizing', message: decision.message };
    default:
      return undefined;
  }
}
