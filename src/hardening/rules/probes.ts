import type { Draft, Rule } from '../draft.ts';
import { pointerIn } from '../draft.ts';
import { shapeOf } from '../shape.ts';
import type { Json } from '../tree.ts';

const kinds = ['readinessProbe', 'livenessProbe', 'startupProbe'] as const;

/** A check that needs no quorum: under OrderedReady the next pod starts only once this one is ready. */
const anyPort = ({ layout }: Draft): Json => ({
  exec: {
    command: [
      '/bin/bash',
      '-c',
      `(: </dev/tcp/127.0.0.1/${layout.controllerPort}) 2>/dev/null || (: </dev/tcp/127.0.0.1/${layout.clientPort}) 2>/dev/null`,
    ],
  },
});
const clientPort = ({ layout }: Draft): Json => ({ tcpSocket: { port: layout.clientPort } });

/** Why a user's probe would fail on a hardened broker, or undefined where it still works. */
function broken(draft: Draft, kind: (typeof kinds)[number]): string | undefined {
  const probe = draft.container[kind];
  if (probe === undefined) return undefined;
  const text = probe.exec?.command?.join(' ') ?? '';
  if (/--(bootstrap-server|broker-list)|kafka-(topics|broker-api-versions|configs)/.test(text))
    return 'it connects without credentials, which the hardened listener refuses';
  const port = probe.tcpSocket?.port;
  if (port === undefined) return undefined;
  const number =
    typeof port === 'number' ? port : draft.container.ports?.find((p) => p.name === port)?.containerPort;
  const { clientPort: client, internalPort, controllerPort } = draft.layout;
  const gone = shapeOf(draft.configuration).listeners.some((l) => l.port === number);
  if (!gone || number === client || number === internalPort || number === controllerPort) return undefined;
  return `no listener is on port ${number} any more`;
}

export const probes: Rule = {
  id: 'probes',
  title: 'Ready means: serves requests',
  why: 'A KRaft broker opens its client port once it is registered and unfenced (SocketServer.enableRequestProcessing), so an open port is what "ready" should mean. "In sync" is the gate\'s question, not the probe\'s. Log recovery may take long: nothing may kill a broker before its port was open once.',
  remedy: 'Probe the client port with tcpSocket.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { containerPath, set, old } = draft;
    const ordered = (old ?? set).spec?.podManagementPolicy !== 'Parallel' && old !== undefined;
    const check = ordered ? anyPort(draft) : clientPort(draft);
    for (const kind of kinds) {
      const reason = broken(draft, kind);
      if (reason === undefined) continue;
      const path = [...containerPath, kind];
      draft.unsafe({
        path: pointerIn(draft, path),
        message: `${kind} cannot work on a hardened broker: ${reason}`,
      });
      const { exec: _exec, tcpSocket: _tcpSocket, ...timing } = draft.container[kind] ?? {};
      draft.put(path, { ...(timing as Record<string, Json>), ...(check as Record<string, Json>) });
    }
    if (draft.container.readinessProbe === undefined)
      draft.put([...containerPath, 'readinessProbe'], {
        ...(check as Record<string, Json>),
        periodSeconds: 5,
      });
    if (draft.container.livenessProbe !== undefined && draft.container.startupProbe === undefined)
      draft.put([...containerPath, 'startupProbe'], {
        ...(check as Record<string, Json>),
        failureThreshold: 180,
      });
  },
};
