import { literal } from '../configuration.ts';
import { pointerTo, type Draft, type Rule } from '../draft.ts';

export const advertised: Rule = {
  id: 'advertised',
  title: 'Every broker advertises its own name',
  why: 'Clients go where a broker says it is: "localhost" is the client itself, and one name for all brokers ends at any of them.',
  remedy: "Remove KAFKA_ADVERTISED_LISTENERS: the pod's own DNS name is advertised.",
  severity: 'warning',
  since: 1,
  apply(draft) {
    const value = draft.configuration.property('advertised.listeners');
    const text = literal(value);
    if (text === undefined || !('from' in value)) return;
    const path = pointerTo(draft.containerIndex, value.from);
    const hosts =
      draft.shape.clients.length === 0
        ? []
        : text.split(',').map((l) => l.replace(/^.*:\/\//, '').replace(/:\d+$/, ''));
    if (hosts.some((h) => /^(localhost|127\.)/.test(h)))
      draft.unsafe({ path, message: 'localhost is advertised: no client on another machine can follow' });
    else if (hosts.includes('0.0.0.0'))
      draft.unsafe({ path, message: '0.0.0.0 is advertised: Kafka does not start with that' });
    else if ((draft.set.spec?.replicas ?? 1) > 1 && hosts.some((h) => h !== '' && !h.includes('$')))
      sharedName(draft, path);
  },
};

/** An address that leads to any of the brokers: replaced inside, kept where machines outside follow it. */
function sharedName(draft: Draft, path: string): void {
  const kept = draft.layout?.external?.some((e) => e.from !== '') === true;
  const message = 'all replicas advertise one name';
  if (kept)
    draft.report({
      path,
      message,
      remedy: 'Give each broker an address of its own, for example by $(POD_NAME).',
    });
  else draft.unsafe({ path, message });
}
