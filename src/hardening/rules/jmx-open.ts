import { literal } from '../configuration.ts';
import { pointerTo, type Rule } from '../draft.ts';

export const jmxOpen: Rule = {
  id: 'jmx-open',
  title: 'JMX closed to the network',
  why: 'Remote JMX without authentication lets anybody who reaches the port run code in the broker.',
  remedy: 'Remove KAFKA_JMX_PORT, or bind it to 127.0.0.1 and use an exporter in the pod.',
  severity: 'error',
  since: 1,
  apply(draft) {
    const port = draft.configuration.variable('KAFKA_JMX_PORT');
    const options = literal(draft.configuration.variable('KAFKA_JMX_OPTS')) ?? '';
    const open = /jmxremote(\.|\s|$)/.test(options) && !/authenticate=true/.test(options);
    const closed =
      /authenticate=true/.test(options) || /jmxremote\.host=(127\.0\.0\.1|localhost)/.test(options);
    if (!open && !('from' in port && port.state !== 'unknown' && !closed)) return;
    draft.report({
      path: pointerTo(draft.containerIndex, 'from' in port ? port.from : '/env'),
      message: 'remote JMX is open without authentication',
    });
  },
};
