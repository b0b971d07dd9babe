import { pointerTo, type Rule } from '../draft.ts';

export const envOrder: Rule = {
  id: 'env-order',
  title: 'Variables are defined before they are used',
  why: 'The kubelet resolves $(NAME) only from entries that stand before it; otherwise the text stays as it is.',
  remedy: 'Move the definition in front of its use.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    // envFrom stands before env, and what it brings cannot be seen.
    if (draft.container.envFrom !== undefined) return;
    const env = draft.container.env ?? [];
    for (const [i, entry] of env.entries())
      for (const [, name = ''] of (entry.value ?? '').matchAll(/(?<!\$)\$\(([A-Za-z_][\w.-]*)\)/g)) {
        // Images hand a …_COMMAND to a shell, where $(…) runs a command.
        if (/^KUBERNETES_/.test(name) || /_COMMAND$/.test(entry.name)) continue;
        const defined = env.findIndex((e) => e.name === name);
        if (defined >= 0 && defined < i) continue;
        const problem = defined < 0 ? 'is not defined in env' : 'is defined only after it';
        draft.report({
          path: pointerTo(draft.containerIndex, `/env/${i}`),
          message: `${entry.name} uses $(${name}), which ${problem}`,
        });
      }
  },
};
