import type { Rule } from '../draft.ts';

export const unparsedCommand: Rule = {
  id: 'unparsed-command',
  title: 'A start command that can be wrapped',
  why: "The launcher must run after everything else that sets configuration and right before the image's entrypoint. Where the command never calls it, or twice, or sources it, that place cannot be found with certainty.",
  remedy: 'Let the command end in "exec /etc/kafka/docker/run".',
  severity: 'error',
  since: 1,
};
