import type { V1Container, V1PodSpec, V1Service, V1StatefulSet } from '@kubernetes/client-node';

/** A StatefulSet as plain JSON, the way the API server and YAML files have it. */
export type StatefulSet = V1StatefulSet;
export type Service = V1Service;
export type Container = V1Container;
export type PodSpec = V1PodSpec;

/**
 * What is done about an explicit unsafe value: `audit` reports it, `harden` replaces it with a warning,
 * `strict` refuses the object.
 */
export type Mode = 'audit' | 'harden' | 'strict';

/** What the core is told beside the object itself. */
export interface Context {
  namespace: string;
  /** The stored object on UPDATE: pin, layout and recorded inverse come from it. */
  old?: StatefulSet | undefined;
  /** Services of the namespace, where they are known: a governing one that is not headless gives no pod a name. */
  services?: readonly Service[] | undefined;
  /** Other StatefulSets of the namespace, where they are known: two nodes of one cluster must not have one id. */
  siblings?: readonly StatefulSet[] | undefined;
  /** The installation's default; the annotation `kafka-warden.io/mode` on the object wins. */
  mode?: Mode | undefined;
}

/** One operation of RFC 6902, with the rule that asked for it. */
export interface PatchOperation {
  op: 'add' | 'replace' | 'remove';
  path: string;
  value?: unknown;
  rule: string;
}

export type Severity = 'error' | 'warning' | 'info';

/** Something a person should know: what, where, and what to do. `path` is a JSON pointer into the object. */
export interface Finding {
  rule: string;
  severity: Severity;
  path: string;
  message: string;
  remedy: string;
  action: 'fixed' | 'reported' | 'refused';
}

/**
 * `hardened`: in our care, the patch says what changes (perhaps nothing). `reported`: Kafka, but left alone, the findings say
 * why. `refused`: must not be admitted. `ignored`: not Kafka, or opted out. `unchanged` never has findings that fix anything.
 */
export type Decision = 'hardened' | 'unchanged' | 'reported' | 'refused' | 'ignored';

export interface Outcome {
  decision: Decision;
  patch: PatchOperation[];
  findings: Finding[];
  /** The object after the patch. */
  readonly workload: StatefulSet;
}

/**
 * What the pods of a set are to their cluster. `combined`: brokers of which the first are controllers too; `broker` and
 * `controller`: KRaft in StatefulSets of their own; `zookeeper`: brokers of a cluster in ZooKeeper mode; `unseen`: the
 * configuration cannot be seen before the start, where the launcher decides between `combined` and `zookeeper`.
 */
export type Role = 'combined' | 'broker' | 'controller' | 'zookeeper' | 'unseen';

/** A further listener for clients: `name` is ours, `from` the manifest's, whose advertised host is kept. */
export interface ExternalListener {
  name: string;
  port: number;
  from: string;
}

/** What was decided when the set was created and never moves afterwards; JSON in the annotation `kafka-warden.io/layout`. */
export interface Layout {
  schema: 1;
  cluster: string;
  /** Kafka's cluster id: 16 bytes in base64url. A manifest that sets its own at start leaves it out of our hands. */
  clusterId: string;
  /** The governing headless Service. */
  service: string;
  clientPort: number;
  internalPort: number;
  controllerPort: number;
  /** Absent: `combined`. */
  role?: Role;
  /** Number of this set's pods that are quorum voters: those of the lowest ordinals. */
  voters: number;
  replicationFactor: number;
  minInsyncReplicas: number;
  /** Node ids of the whole quorum, where other sets of the cluster vote too (or alone). */
  voterIds?: number[];
  /** Further listeners for clients. */
  external?: ExternalListener[];
  /** Names and addresses that further listeners are advertised by, `@pod` for the pod's name: the certificates carry them. */
  hosts?: string[];
  /** Node id minus pod ordinal. */
  idOffset: number;
  storage: 'claim' | 'ephemeral';
  /** Name of the claim template that holds the log directories. */
  claim?: string;
}

/** What `explain` says of a rule. */
export interface RuleDoc {
  id: string;
  title: string;
  why: string;
  remedy: string;
  severity: Severity;
}
