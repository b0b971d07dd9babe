import { pointerTo, type Rule } from '../draft.ts';

const secretName = /PASSWORD|SECRET|JAAS|CREDENTIAL|TOKEN|PRIVATE_KEY/i;

export const inlineSecret: Rule = {
  id: 'inline-secret',
  title: 'No secrets in the manifest',
  why: 'Whoever may read the StatefulSet can read its environment, and so can every process in the container.',
  remedy: 'Keep it in a Secret, mounted as a file.',
  severity: 'error',
  since: 1,
  apply(draft) {
    for (const [i, entry] of (draft.container.env ?? []).entries())
      if (
        secretName.test(entry.name) &&
        entry.value !== undefined &&
        /[^${}()]/.test(entry.value) &&
        !/_(FILE|FILENAME|CREDENTIALS|LOCATION|PATH|TYPE)$/.test(entry.name)
      )
        draft.report({
          path: pointerTo(draft.containerIndex, `/env/${i}`),
          message: `${entry.name} holds a secret in clear text`,
        });
  },
};
