import { podPath, pointerIn, pointerTo, type Rule } from '../draft.ts';
import { callsByExec } from '../command.ts';
import { literal } from '../configuration.ts';

/** Five minutes of controlled shutdown (KafkaBroker.shutdown), half a minute for the hook, half for closing logs. */
const graceSeconds = 360;

export const shutdown: Rule = {
  id: 'shutdown',
  title: 'Time for a controlled shutdown',
  why: 'Controlled shutdown moves every leader away first and may take five minutes (KafkaBroker.shutdown); the kubelet kills after the grace period, and a killed broker has to recover its logs.',
  remedy: `Set terminationGracePeriodSeconds to ${graceSeconds} or more.`,
  severity: 'warning',
  since: 1,
  apply(draft) {
    const path = [...podPath, 'terminationGracePeriodSeconds'];
    const given = draft.pod.terminationGracePeriodSeconds;
    if (given !== undefined && given < graceSeconds)
      draft.unsafe({
        path: pointerIn(draft, path),
        message: `terminationGracePeriodSeconds is ${given}; a controlled shutdown needs ${graceSeconds}`,
      });
    if (given === undefined || given < graceSeconds) draft.put(path, graceSeconds);
    const controlled = draft.configuration.property('controlled.shutdown.enable');
    if (literal(controlled) === 'false' && 'from' in controlled)
      draft.unsafe({
        path: pointerTo(draft.containerIndex, controlled.from),
        message: 'controlled shutdown is switched off',
        remedy: 'Remove the setting, or set controlled.shutdown.enable=true.',
      });
    draft.setting('controlled.shutdown.enable', '=', 'true');
    const { start } = draft;
    const called = start.kind === 'shell' ? start.calls.find((c) => c.program !== 'format')?.text : undefined;
    if (start.kind === 'shell' && !callsByExec(start))
      draft.report({
        path: pointerTo(draft.containerIndex, `/${start.field}/${start.index}`),
        message: `the script calls ${called} without exec: the shell gets SIGTERM and Kafka may not, until it is killed`,
        remedy: `Write "exec ${called}".`,
      });
  },
};
