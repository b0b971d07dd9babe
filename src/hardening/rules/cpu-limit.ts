import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

export const cpuLimit: Rule = {
  id: 'cpu-limit',
  title: 'CPU requested, not limited',
  why: 'A CPU limit stops all threads of the broker for the rest of each 100 ms period in which it is used up, although the node may be idle: requests are late, and a long pause looks like a dead broker.',
  remedy: 'Keep the CPU request and remove the CPU limit.',
  severity: 'info',
  since: 1,
  apply({ container, containerIndex, report }: Observed) {
    const limit = container.resources?.limits?.['cpu'];
    if (limit === undefined) return;
    report({
      path: pointerTo(containerIndex, '/resources/limits/cpu'),
      message: `the broker is throttled at ${limit} CPU`,
    });
  },
};
