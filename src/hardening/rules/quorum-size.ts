import { literal } from '../configuration.ts';
import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

/** What an even quorum is worth. */
const survives = (voters: number) =>
  voters === 2
    ? 'either of the two that is lost stops it'
    : `that survives the loss of ${voters / 2 - 1}, as ${voters - 1} would`;

export const quorumSize: Rule = {
  id: 'quorum-size',
  title: 'An odd number of controllers',
  why: 'A quorum needs more than half of its voters: four survive the loss of one, exactly as three do, and there is one more that can fail.',
  remedy: 'Use three controllers, or five.',
  severity: 'warning',
  since: 1,
  apply({ configuration, containerIndex, shape, set, report }: Observed) {
    const voters = shape.voters?.length ?? 0;
    const value = configuration.property('controller.quorum.voters');
    if (voters > 0 && voters % 2 === 0 && 'from' in value) {
      report({
        path: pointerTo(containerIndex, value.from),
        message: `the quorum has ${voters} voters, an even number: ${survives(voters)}`,
      });
      return;
    }
    const replicas = set.spec?.replicas ?? 1;
    const roles = literal(configuration.property('process.roles'));
    if (value.state === 'absent' && roles?.trim() === 'controller' && replicas > 0 && replicas % 2 === 0)
      report({
        path: '/spec/replicas',
        message: `there are ${replicas} controllers, an even number: ${survives(replicas)}`,
      });
  },
};
