import { hostname } from 'node:os';
import { sidecarPorts } from '../names.ts';

/** What the sidecar is told by its Deployment. */
export interface Environment {
  readonly namespace: string;
  readonly cluster: string;
  /** This process's own name, the holder of the Lease. */
  readonly identity: string;
  readonly logLevel: string;
  readonly port: number;
  /** Whether the webhook asks of evictions, so that Kafka is read for it and the budget says what the gate would. */
  readonly evictionGate: boolean;
  /** Where the webhook's questions are answered, and the authorities of its client certificate; none where it has none. */
  readonly questions: { readonly port: number; readonly clientAuthorities: string } | undefined;
}

/** Throws an Error that names the missing variable. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const required = (name: string): string => {
    const value = env[name];
    if (value) return value;
    throw new Error(
      `${name} is not set: the sidecar runs as the Deployment that kafka-warden's webhook makes`,
    );
  };
  const clientAuthorities = env['WARDEN_WEBHOOK_CA'];
  return {
    namespace: required('WARDEN_NAMESPACE'),
    cluster: required('WARDEN_CLUSTER'),
    identity: env['WARDEN_POD'] ?? `${hostname()}-${process.pid}`,
    logLevel: env['LOG_LEVEL'] ?? 'info',
    port: Number(env['WARDEN_PORT'] ?? sidecarPorts.health),
    evictionGate: env['WARDEN_EVICTION_GATE'] === 'true',
    questions: clientAuthorities
      ? { port: Number(env['WARDEN_QUESTIONS_PORT'] ?? sidecarPorts.questions), clientAuthorities }
      : undefined,
  };
}
