import { type Rule } from '../draft.ts';

export const destructiveInit: Rule = {
  id: 'destructive-init',
  title: 'Init containers keep the data',
  why: 'An init container that empties the data directory makes every restart a lost disk.',
  remedy: 'Remove the deletion.',
  severity: 'error',
  since: 1,
  apply(draft) {
    for (const [i, init] of (draft.pod.initContainers ?? []).entries()) {
      const text = [...(init.command ?? []), ...(init.args ?? [])].join(' ');
      const target = /\brm\s+-[a-z]*r[a-z]*\s+([^;&|]+)/.exec(text)?.[1];
      if (target === undefined || /lost\+found\S*\s*$/.test(target)) continue;
      draft.report({
        path: `/spec/template/spec/initContainers/${i}`,
        message: `init container ${init.name} deletes files at every start (rm ${target.trim()})`,
        strict: 'refuse',
      });
    }
  },
};
