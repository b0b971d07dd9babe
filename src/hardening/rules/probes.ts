import { pointerIn, type Draft, type Rule } from '../draft.ts';
import type { Json, JsonObject } from '../tree.ts';

const kinds = ['readinessProbe', 'livenessProbe', 'startupProbe'] as const;
type Kind = (typeof kinds)[number];

/** Half an hour at the default period, and one more: no user's own round number is taken for ours. */
const startupFailures = 181;

const tries = (port: number) => `(: </dev/tcp/127.0.0.1/${port}) 2>/dev/null`;
const shell = (...ports: number[]): string[] => ['/bin/bash', '-c', ports.map(tries).join(' || ')];

/** Under OrderedReady the next pod starts only once this one is ready: that must not need a quorum. */
const isOrdered = ({ old }: Draft) => old !== undefined && old.spec?.podManagementPolicy !== 'Parallel';

/** The port that tells that a node serves: the clients', or, of a controller, the quorum's. */
const servingPort = ({ layout, role }: Draft) =>
  role === 'controller' ? layout.controllerPort : layout.clientPort;

/** Only where a pod is both must its readiness not wait for a quorum of pods that come after it. */
const mayWaitForPods = (draft: Draft) =>
  isOrdered(draft) && (draft.role === 'combined' || draft.role === 'unseen');

/** The check that is written where there is none. */
const check = (draft: Draft): JsonObject =>
  mayWaitForPods(draft)
    ? { exec: { command: shell(draft.layout.controllerPort, draft.layout.clientPort) } }
    : { tcpSocket: { port: servingPort(draft) } };

/** What a probe's own handler is to be instead: a place within the probe, and its value. */
interface Repair {
  place: string[];
  value: Json;
  reason: string;
}

const needsCredentials =
  /--(bootstrap-server|broker-list)|kafka-(topics|broker-api-versions|configs|metadata-quorum)|\bk(afka)?cat\b/;

/** Ports of listeners that a hardened broker has no more. */
function gonePorts({ shape, layout }: Draft): number[] {
  const external = (layout.external ?? []).map((e) => e.port);
  const open = [layout.clientPort, layout.internalPort, layout.controllerPort, ...external];
  return shape.listeners.map((l) => l.port).filter((port) => !open.includes(port));
}

/** A repair of a handler that fails on a hardened broker; it replaces a value and removes nothing. */
function repairOf(draft: Draft, kind: Kind): Repair | undefined {
  const probe = draft.container[kind];
  const { clientPort, controllerPort } = draft.layout;
  const ordered = mayWaitForPods(draft);
  const gone = gonePorts(draft);
  const command = probe?.exec?.command?.join(' ');
  if (command !== undefined) {
    const port = gone.find((p) => new RegExp(`\\b${p}\\b`).test(command));
    if (port === undefined && !needsCredentials.test(command)) return undefined;
    const reason =
      port === undefined
        ? 'it connects without credentials, which the hardened listener refuses'
        : `no listener is on port ${port} any more`;
    const value = ordered ? shell(controllerPort, clientPort) : shell(servingPort(draft));
    return { place: ['exec', 'command'], value, reason };
  }
  const port = portNumber(draft, probe?.tcpSocket?.port);
  if (port === undefined || !gone.includes(port)) return undefined;
  return {
    place: ['tcpSocket', 'port'],
    value: ordered ? controllerPort : servingPort(draft),
    reason: `no listener is on port ${port} any more`,
  };
}

const portNumber = ({ container }: Draft, port: unknown): number | undefined => {
  if (typeof port === 'number') return port;
  return container.ports?.find((p) => p.name === port)?.containerPort;
};

export const probes: Rule = {
  id: 'probes',
  title: 'Ready means: serves requests',
  why: 'A KRaft broker opens its client port once it is registered and unfenced (SocketServer.enableRequestProcessing), so an open port is what "ready" should mean. "In sync" is the gate\'s question, not the probe\'s. Log recovery may take long: nothing may kill a broker before its port was open once.',
  remedy: 'Probe the client port with tcpSocket.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { containerPath, container } = draft;
    for (const kind of kinds) {
      const repair = repairOf(draft, kind);
      if (repair === undefined) continue;
      const path = [...containerPath, kind, ...repair.place];
      draft.unsafe({
        path: pointerIn(draft, path),
        message: `${kind} cannot work on a hardened broker: ${repair.reason}`,
      });
      draft.put(path, repair.value);
    }
    if (container.readinessProbe === undefined) draft.put([...containerPath, 'readinessProbe'], check(draft));
    if (container.livenessProbe !== undefined && container.startupProbe === undefined)
      draft.put([...containerPath, 'startupProbe'], { ...check(draft), failureThreshold: startupFailures });
  },
};
