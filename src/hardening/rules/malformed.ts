import type { Rule } from '../draft.ts';

export const malformed: Rule = {
  id: 'malformed',
  title: 'A StatefulSet that can be read',
  why: 'Where a field has another type than the API server takes, nothing can be said of the rest.',
  remedy: 'Correct the field; "kubectl apply --dry-run=server" shows what the API server thinks of it.',
  severity: 'error',
  since: 1,
};
