import { podPath, type Rule } from '../draft.ts';

export const serviceLinks: Rule = {
  id: 'service-links',
  title: 'No environment from Services',
  why: 'A Service called kafka puts KAFKA_PORT, KAFKA_SERVICE_HOST … into every pod of the namespace; images turn KAFKA_ variables into properties.',
  remedy: 'Set enableServiceLinks: false.',
  severity: 'info',
  since: 2,
  apply(draft) {
    if (draft.pod.enableServiceLinks === true && draft.pin.profile.propertyOf('KAFKA_PORT') !== undefined)
      draft.unsafe({
        path: '/spec/template/spec/enableServiceLinks',
        message: 'enableServiceLinks is on: the variables of a Service called kafka become Kafka properties',
        severity: 'warning',
      });
    draft.put([...podPath, 'enableServiceLinks'], false);
  },
};
