import type { StatefulSet } from './model.ts';
import { isHardened, vanillaOf } from './harden.ts';

/**
 * The manifest as its author wrote it, edits made since included: deep-equal to the original after API defaulting. An object that
 * is not hardened comes back unchanged.
 */
export const unharden = (workload: StatefulSet): StatefulSet => {
  if (!isHardened(workload)) return workload;
  const { status } = workload;
  return { ...vanillaOf(workload), ...(status === undefined ? {} : { status }) };
};
