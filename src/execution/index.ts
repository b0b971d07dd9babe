export { begin, parseJournal, requestStop, settledFor } from './journal.ts';
export { ledElsewhereText } from './leaders.ts';
export * from './model.ts';
export { type LookAt, type Step, next } from './next.ts';
export { awayOf, belowMinIsr, outOfSync, stillOurs } from './observe.ts';
export { type Pace, type Progress, type RefusedMove, type Sample, paceOf } from './progress.ts';
export type { Options } from './round.ts';
export { type Prepared, prepare } from './steps.ts';
export { throttleKeys } from './throttles.ts';
