import type { StatefulSet } from '../model.ts';
import { applyApiDefaults } from './api-defaults.ts';
import { serverSideApply, threeWayMerge } from './merge.ts';

/** How a manifest is written over a live object that an earlier form of it made. */
export type Write = (last: StatefulSet, live: StatefulSet, next: StatefulSet) => StatefulSet;

export const writes: Record<string, Write> = {
  'kubectl apply or helm upgrade': threeWayMerge,
  'server-side apply': serverSideApply,
  PUT: (_last, _live, next) => next,
};

/** What counts: the template makes revisions, the rest of the spec is immutable or ours. */
export const specOf = (set: StatefulSet) => applyApiDefaults(set).spec;
