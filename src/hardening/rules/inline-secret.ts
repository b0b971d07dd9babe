import { pointerTo, type Rule } from '../draft.ts';

const secretName =
  /(PASSWORDS?|SECRETS?|TOKENS?|CREDENTIALS?|PRIVATE_KEY|SSL_KEYSTORE_KEY|ACCESS_KEY|MASTER_KEY)$/i;
const jaasPassword = /password\s*=\s*"?[^"\s;$]/i;

/** A variable whose value is a secret by its name, or a JAAS entry with a password in it. */
const holdsSecret = (name: string, value: string) =>
  /JAAS/.test(name)
    ? jaasPassword.test(value)
    : secretName.test(name) &&
      !/_(FILENAME|KEYSTORE_CREDENTIALS|KEY_CREDENTIALS|TRUSTSTORE_CREDENTIALS)$/.test(name);

export const inlineSecret: Rule = {
  id: 'inline-secret',
  title: 'No secrets in the manifest',
  why: 'Whoever may read the StatefulSet can read its environment, and so can every process in the container.',
  remedy: 'Keep it in a Secret, mounted as a file.',
  severity: 'error',
  since: 1,
  apply(draft) {
    for (const [i, entry] of (draft.container.env ?? []).entries())
      if (entry.value !== undefined && /[^${}()]/.test(entry.value) && holdsSecret(entry.name, entry.value))
        draft.report({
          path: pointerTo(draft.containerIndex, `/env/${i}`),
          message: `${entry.name} holds a secret in clear text`,
        });
  },
};
