import {
  harden,
  isHardened,
  type Context,
  type Outcome,
  type StatefulSet,
} from '../../src/hardening/index.ts';
import { keys } from '../../src/names.ts';
import { namespace, type Shape } from './shape.ts';

/** What becomes of one set of a shape. */
export interface SetOutcome {
  set: StatefulSet;
  outcome: Outcome;
  /** What stood in the namespace when the set came: the Services and the hardened sets before it in the file. */
  context: Context;
}

const withPin = (set: StatefulSet, pin: string): StatefulSet => ({
  ...set,
  metadata: { ...set.metadata, annotations: { ...set.metadata?.annotations, [keys.profile]: pin } },
});

/** What becomes of a shape's sets when the file is applied from its top to its end; by pinned profile versions, if any. */
export function outcomesOf(shape: Shape, pins: readonly (string | undefined)[] = []): SetOutcome[] {
  const found: SetOutcome[] = [];
  for (const [i, set] of shape.sets.entries()) {
    const before = shape.objects.slice(0, shape.objects.indexOf(set as never));
    const context: Context = {
      namespace,
      services: before.filter((o) => o.kind === 'Service'),
      siblings: found.map(({ outcome }) => outcome.workload).filter((workload) => isHardened(workload)),
    };
    const pin = pins[i];
    found.push({ set, outcome: harden(pin === undefined ? set : withPin(set, pin), context), context });
  }
  return found;
}
