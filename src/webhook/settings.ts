import { z } from 'zod';

/** What the webhook is told by its Deployment; every other choice is a constant beside its use. */
export interface Settings {
  /** Own namespace, where Secret, Lease and Service are. */
  namespace: string;
  /** Own pod, the identity under which the Lease is held. */
  pod: string;
  /** Image of the sidecars: this program's own. */
  image: string;
  /** Names of pull secrets that stand in the namespaces of the sidecars. */
  imagePullSecrets: string[];
  /** What is done about unsafe values where the workload does not say. */
  mode: 'audit' | 'harden' | 'strict';
  logLevel: string;
  /** How long a replica that is told to end still answers: endpoints take that long to forget it. */
  drainMs: number;
  /** Ports of the API server as pods see them (after address translation), for the sidecars' NetworkPolicy. */
  apiServerPorts: number[];
  /** Whether evictions are asked of the sidecars, which then read the cluster for it. */
  evictionGate: boolean;
  reviewPort: number;
  healthPort: number;
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
const port = z.coerce.number().int().min(0).max(65_535);

const environment = z.object({
  WARDEN_NAMESPACE: z.string().min(1),
  WARDEN_POD: z.string().min(1),
  WARDEN_IMAGE: z.string().min(1),
  WARDEN_IMAGE_PULL_SECRETS: z.string().default('').transform(list),
  WARDEN_MODE: z.enum(['audit', 'harden', 'strict']).default('harden'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  WARDEN_DRAIN_SECONDS: z.coerce.number().min(0).max(120).default(12),
  WARDEN_API_PORTS: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'expected ports separated by commas')
    .default('443,6443')
    .transform((text) => list(text).map(Number)),
  WARDEN_EVICTION_GATE: z.enum(['true', 'false']).default('false'),
  WARDEN_REVIEW_PORT: port.default(8443),
  WARDEN_HEALTH_PORT: port.default(8080),
});

/** Reads the environment. Throws an `Error` that names each variable at fault and what it should be. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const read = environment.safeParse(env);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`settings-invalid: the environment is not usable: ${faults.join('; ')}`);
  }
  const { data } = read;
  return {
    namespace: data.WARDEN_NAMESPACE,
    pod: data.WARDEN_POD,
    image: data.WARDEN_IMAGE,
    imagePullSecrets: data.WARDEN_IMAGE_PULL_SECRETS,
    mode: data.WARDEN_MODE,
    logLevel: data.LOG_LEVEL,
    drainMs: data.WARDEN_DRAIN_SECONDS * 1_000,
    apiServerPorts: data.WARDEN_API_PORTS,
    evictionGate: data.WARDEN_EVICTION_GATE === 'true',
    reviewPort: data.WARDEN_REVIEW_PORT,
    healthPort: data.WARDEN_HEALTH_PORT,
  };
}

/** Names of the installation's own objects; it exists once in a cluster, so they are fixed. */
export const installation = {
  /** Deployment, Service, ServiceAccount and Lease, and both webhook configurations. */
  name: 'kafka-warden',
  servingSecret: 'kafka-warden-webhook-tls',
  clientSecret: 'kafka-warden-webhook-client',
} as const;

/** The name by which the API server calls the webhook. */
export const serviceHost = (namespace: string): string => `${installation.name}.${namespace}.svc`;
