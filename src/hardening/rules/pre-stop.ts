import { pointerTo, type Draft, type Rule } from '../draft.ts';
import { stopCall } from '../reserved.ts';

/** Hooks that are no program: nothing can be run before them. */
const others = ['httpGet', 'tcpSocket', 'sleep'] as const;

/** What kind of preStop hook of the manifest's cannot be run behind ours; undefined where there is none. */
const otherHook = ({ container }: Pick<Draft, 'container'>) =>
  others.find((kind) => container.lifecycle?.preStop?.[kind] !== undefined);

/** True where the container asks the sidecar before it stops. */
export const asksToStop = (draft: Pick<Draft, 'container' | 'pin'>): boolean =>
  draft.pin.generation >= preStop.since && otherHook(draft) === undefined;

export const preStop: Rule = {
  id: 'pre-stop',
  title: 'A last question before a node stops',
  why: 'In-sync replicas may have become fewer since an eviction was allowed, and much ends a pod without asking anybody: a taint, a preemption, a person. Before it is told to stop, the node asks the sidecar whether partitions would fall below min.insync.replicas, and waits for up to 30 seconds while that can become better. Without an answer it stops at once.',
  remedy: "Write the preStop hook as exec: it is run after kafka-warden's, in the time that is left.",
  severity: 'info',
  since: 4,
  apply(draft) {
    const { container, containerIndex, containerPath } = draft;
    const other = otherHook(draft);
    if (other !== undefined)
      return draft.report({
        path: pointerTo(containerIndex, `/lifecycle/preStop/${other}`),
        message: `the preStop hook is kept as it is (${other}): nothing can be run before it, so the node stops without asking whether the others can spare it`,
        severity: 'warning',
      });
    const theirs = container.lifecycle?.preStop?.exec?.command ?? [];
    draft.put([...containerPath, 'lifecycle', 'preStop', 'exec', 'command'], [...stopCall, ...theirs]);
  },
};
