import { literal } from '../configuration.ts';
import { pointerTo, type Draft, type Rule } from '../draft.ts';
import type { Container } from '../model.ts';
import { otherProgram } from '../recognise.ts';

const textsOf = (c: Container) => [
  ...(c.command ?? []),
  ...(c.args ?? []),
  ...(c.env ?? []).map((e) => e.value ?? ''),
];

/** A bootstrap address in the same pod: `localhost:9092`. */
const reaches = (text: string, ports: readonly number[]) =>
  ports.find((port) => new RegExp(`(localhost|127\\.0\\.0\\.1):${port}\\b`).test(text));

/** The metrics reporter of cp-server: a producer inside the broker, with settings of its own. */
function reporter(draft: Draft): void {
  for (const name of [
    'CONFLUENT_METRICS_REPORTER_BOOTSTRAP_SERVERS',
    'KAFKA_CONFLUENT_METRICS_REPORTER_BOOTSTRAP_SERVERS',
  ]) {
    const value = draft.configuration.variable(name);
    const secured = name.replace('BOOTSTRAP_SERVERS', 'SECURITY_PROTOCOL');
    if (!('from' in value) || value.state === 'unknown') continue;
    if (draft.configuration.variable(secured).state !== 'absent') continue;
    draft.report({
      path: pointerTo(draft.containerIndex, value.from),
      message: `the metrics reporter connects to ${literal(value) ?? 'the brokers'} without credentials, which the hardened listener refuses`,
      remedy: `Set ${secured}=SASL_SSL with the Secret of a KafkaUser, or remove the reporter.`,
    });
  }
}

export const plaintextClients: Rule = {
  id: 'plaintext-clients',
  title: 'Clients in the same pod bring credentials',
  why: 'An exporter beside the broker or a reporter within it used to connect without credentials; the hardened listeners refuse that.',
  remedy: 'Give it the Secret of a KafkaUser, with SASL_SSL and SCRAM-SHA-512.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { clientPort, internalPort, external = [] } = draft.layout;
    const ports = [
      clientPort,
      internalPort,
      ...external.map((e) => e.port),
      ...draft.shape.clients.map((l) => l.port),
    ];
    for (const [index, container] of draft.pod.containers.entries()) {
      if (index === draft.containerIndex) continue;
      const port = textsOf(container)
        .map((t) => reaches(t, ports))
        .find((p) => p !== undefined);
      if (port === undefined) {
        unseenClient(container, index, draft);
        continue;
      }
      draft.report({
        path: pointerTo(index, ''),
        message: `container ${container.name} connects to localhost:${port}, where the hardened listener asks for TLS and credentials`,
      });
    }
    reporter(draft);
    tools(draft);
  },
};

/** Kafka Connect or MirrorMaker in the broker's pod, with the brokers' addresses in a file. */
function unseenClient(container: Container, index: number, { report }: Draft): void {
  const program = otherProgram(container);
  if (program !== 'Kafka Connect' && program !== 'MirrorMaker') return;
  if ((container.env ?? []).some((e) => e.name.includes('BOOTSTRAP'))) return;
  report({
    path: pointerTo(index, ''),
    message: `container ${container.name} runs ${program}, whose configuration cannot be seen from here: if it connects to this broker, it has no credentials for the hardened listener`,
  });
}

/** Kafka's tools in the start script, which make topics or wait for the broker. */
function tools({ start, containerIndex, report }: Draft): void {
  if (start.kind !== 'shell') return;
  const call = start.commands
    .map(({ words }) => words.map((w) => w.text).join(' '))
    .find(
      (text) => /--(bootstrap-server|broker-list)\b/.test(text) && !/--command-config|\.config\b/.test(text),
    );
  if (call === undefined) return;
  report({
    path: pointerTo(containerIndex, `/${start.field}/${start.index}`),
    message: `the start script runs "${call.slice(0, 80)}", which has no credentials for the hardened listener`,
    remedy: 'Run it in a Job with the Secret of a KafkaUser, by --command-config.',
  });
}
