/** Every label, annotation, object and field-manager name that kafka-warden uses, each defined once. */

const prefix = 'kafka-warden.io';

export const group = prefix;
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const fieldManager = 'kafka-warden';
export const managedBy = { 'app.kubernetes.io/managed-by': 'kafka-warden' } as const;

/** Labels and annotations; the comment says on what they stand. */
export const keys = {
  /** Namespace label `"true"`: workloads in it are hardened on admission. */
  enroll: `${prefix}/enroll`,
  /** Workload label `"true"`: left alone. */
  ignore: `${prefix}/ignore`,
  /** Workload annotation `audit | harden | strict`. */
  mode: `${prefix}/mode`,
  /** Pod annotation, the pod's own UID: a person lets this one pod be evicted, whatever the gate says. */
  allowEviction: `${prefix}/allow-eviction`,
  /** StatefulSet annotation `"true"`: the sidecar rolls the set although its update strategy is OnDelete. */
  rollOnDelete: `${prefix}/roll-on-delete`,
  /** Pod annotation: a deletion of it that kafka-warden has taken back; its order is void since the pod has changed. */
  keptFrom: `${prefix}/kept-from`,
  /** Annotation, the object's own name: a person lets it be deleted although brokers live by it. */
  confirmDelete: `${prefix}/confirm-delete`,
  /** StatefulSet annotation, a number of replicas: a person lets it be scaled to exactly that many. */
  confirmScale: `${prefix}/confirm-scale`,
  /** Annotation on the sidecar's Service: SHA-256 of the public key that the sidecar serves with. */
  servingKey: `${prefix}/serving-key-sha256`,
  /** Workload label or annotation: the Kafka cluster it belongs to. */
  cluster: `${prefix}/cluster`,
  /** Pod label on brokers and controllers only: the cluster's name. Gate and budget select it. */
  node: `${prefix}/node`,
  /** Pod label on the pods that serve clients: the cluster's name. The bootstrap Service selects it. */
  broker: `${prefix}/broker`,
  /** Workload annotation `combined | broker | controller | zookeeper`, where the manifest cannot show it. */
  role: `${prefix}/role`,
  /** Workload annotation: node id of the pod of ordinal 0, where several sets of a cluster would collide. */
  idOffset: `${prefix}/id-offset`,
  /** StatefulSet annotation: the pinned profile, `apache-kafka/2`. */
  profile: `${prefix}/profile`,
  /** StatefulSet annotation: what the hardened fields were before, JSON. */
  inverse: `${prefix}/inverse`,
  /** StatefulSet annotation: ports, voters, cluster id … decided at creation, JSON. */
  layout: `${prefix}/layout`,
  /** Workload annotation: names the profile of a private image. */
  imageProfile: `${prefix}/image-profile`,
  /** Workload annotation: the Kafka version where the tag does not tell. */
  kafkaVersion: `${prefix}/kafka-version`,
  /** StatefulSet annotation, a release or level (`4.1`): metadata.version is finalized there once every node has it. */
  metadataVersion: `${prefix}/metadata-version`,
  /** StatefulSet annotation `"true"`: eligible leader replicas are switched on once every node has them. */
  eligibleLeaderReplicas: `${prefix}/eligible-leader-replicas`,
  /** Pod annotation: the rack, where the API server does not copy the node's zone label. */
  rack: `${prefix}/rack`,
  /** Pod annotation: changes when the pod's mounted Secret should be refreshed at once. */
  keysRevision: `${prefix}/keys-revision`,
  /** StatefulSet annotation `ignore | warn | block`: partitions that have no replica to spare, and evictions. */
  rfAtMin: `${prefix}/rf-at-min`,
  /** KafkaCluster annotation: kafka-warden is about to be uninstalled; its value, a time, tells one uninstallation from another. */
  farewell: `${prefix}/farewell`,
  /** StatefulSet annotation: pod names, comma-separated, whose empty disk a person has confirmed. */
  confirmEmptyDisk: `${prefix}/confirm-empty-disk`,
  /** KafkaRebalance annotation: the hash of the plan that is approved. */
  approve: `${prefix}/approve`,
  /** KafkaRebalance annotation `"true"`: end it, and take back what is under way. */
  stop: `${prefix}/stop`,
  /** KafkaRebalance annotation `"true"`: ended by the sidecar, since its StatefulSet was scaled again; no person declined it. */
  cancelled: `${prefix}/cancelled`,
  /** KafkaRebalance annotation: any new value has it proposed again. */
  refresh: `${prefix}/refresh`,
  /** ConfigMap label: the KafkaRebalance that a stored plan belongs to. */
  rebalance: `${prefix}/rebalance`,
} as const;

/** The longest cluster name: the longest suffix then still fits a label value of 63 characters. */
export const maxClusterNameLength = 40;

/**
 * The most pods that a StatefulSet may have: their keystores lie in one Secret of at most 1 MiB, and the record of what was
 * issued in an annotation of at most 256 KiB (up to 8 KiB and 2.6 KiB for a pod with long names).
 */
export const maxPods = 96;

/** Names of the objects that belong to one cluster. */
export const objectsOf = (cluster: string) =>
  ({
    warden: `${cluster}-kafka-warden`,
    disruption: `${cluster}-kafka-disruption`,
    authority: `${cluster}-kafka-authority`,
    clientsAuthority: `${cluster}-kafka-clients-authority`,
    trust: `${cluster}-kafka-trust`,
    bootstrap: `${cluster}-kafka-bootstrap`,
  }) as const;

/** Labels that select the sidecar's pod, and find everything that was made for it. */
export const sidecarLabels = (cluster: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'kafka-warden',
  'app.kubernetes.io/component': 'sidecar',
  [keys.cluster]: cluster,
});

/**
 * Ports of the sidecar's pod: probes, metrics and "may this pod stop?" in the open and read-only, questions of the webhook by
 * mutual TLS.
 */
export const sidecarPorts = { health: 8080, questions: 8443 } as const;

/** The keystore Secret of a StatefulSet. */
export const keysSecretOf = (set: string) => `${set}-kafka-keys`;

/** The Secret of a KafkaUser. */
export const userSecretOf = (user: string) => `${user}-kafka-user`;

/** The ClusterRole that gives the verb `approve` on KafkaRebalances. */
export const approveClusterRole = 'kafka-warden-rebalance-approve';

/** The ClusterRole that each sidecar's RoleBinding binds. */
export const sidecarClusterRole = 'kafka-warden-sidecar';

/** Where a hardened broker finds its stores and its launcher. */
export const mounts = {
  keys: '/etc/kafka-warden/keys',
  launcher: '/etc/kafka-warden/launcher',
  run: '/etc/kafka-warden/run',
} as const;
