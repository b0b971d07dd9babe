import type { Facts, Rule } from '../hardening/draft.ts';
import { podPath, runRules } from '../hardening/draft.ts';
import { planLayout } from '../hardening/layout.ts';
import type { Finding } from '../hardening/model.ts';
import { newestOf } from '../hardening/profiles/index.ts';
import { planQuorum } from '../hardening/quorum.ts';
import { advertised } from '../hardening/rules/advertised.ts';
import { autoCreation } from '../hardening/rules/auto-creation.ts';
import { cpuLimit } from '../hardening/rules/cpu-limit.ts';
import { destructiveInit } from '../hardening/rules/destructive-init.ts';
import { duplicateVariable } from '../hardening/rules/duplicate-variable.ts';
import { durability } from '../hardening/rules/durability.ts';
import { envOrder } from '../hardening/rules/env-order.ts';
import { existingSecurityRule } from '../hardening/rules/existing-security.ts';
import { floatingTag } from '../hardening/rules/floating-tag.ts';
import { heap } from '../hardening/rules/heap.ts';
import { hostNames } from '../hardening/rules/host-names.ts';
import { hostNetwork } from '../hardening/rules/host-network.ts';
import { identity } from '../hardening/rules/identity.ts';
import { inlineSecret } from '../hardening/rules/inline-secret.ts';
import { jmxOpen } from '../hardening/rules/jmx-open.ts';
import { kafkaVersion } from '../hardening/rules/kafka-version.ts';
import { placeholder } from '../hardening/rules/placeholder.ts';
import { podSecurity } from '../hardening/rules/pod-security.ts';
import { quorumSize } from '../hardening/rules/quorum-size.ts';
import { resources } from '../hardening/rules/resources.ts';
import { shellInEnv } from '../hardening/rules/shell-in-env.ts';
import { shutdown } from '../hardening/rules/shutdown.ts';
import { storage } from '../hardening/rules/storage.ts';
import { unmaintainedImage } from '../hardening/rules/unmaintained-image.ts';
import { updateStrategy } from '../hardening/rules/update-strategy.ts';
import { zookeeperLink } from '../hardening/rules/zookeeper-link.ts';
import { elementKey } from '../hardening/tree.ts';
import type { Broker } from './brokers.ts';

/** The core's rules whose findings are true of any broker, hardened or not; what they write is not looked at. */
const always: readonly Rule[] = [
  durability,
  storage,
  shutdown,
  podSecurity,
  resources,
  advertised,
  envOrder,
  floatingTag,
  inlineSecret,
  jmxOpen,
  autoCreation,
  destructiveInit,
  shellInEnv,
  duplicateVariable,
  placeholder,
  hostNetwork,
  heap,
  cpuLimit,
  unmaintainedImage,
  kafkaVersion,
  quorumSize,
  zookeeperLink,
  existingSecurityRule,
];

const rulesFor = ({ workload, role }: Broker): Rule[] => [
  ...(role === 'unseen' ? [] : [identity]),
  ...always,
  ...(workload.kind === 'StatefulSet' ? [hostNames, updateStrategy] : []),
];

function factsOf(broker: Broker, brokers: number): Facts {
  const { workload, container, index, configuration, shape, start, role, profile, cluster } = broker;
  const { set, pod, namespace } = workload;
  const pin = newestOf(profile);
  const source = {
    set,
    container,
    configuration,
    shape,
    role,
    cluster,
    namespace,
    generation: pin.generation,
  };
  const layout = planLayout({ ...source, clusterId: undefined });
  const replicationFactor = Math.min(3, Math.max(brokers, layout.replicationFactor));
  return {
    set,
    workload: set,
    pod,
    container,
    containerIndex: index,
    containerPath: [...podPath, 'containers', `[${elementKey(container)}]`],
    configuration,
    shape,
    start,
    layout: { ...layout, replicationFactor, minInsyncReplicas: Math.max(1, replicationFactor - 1) },
    role,
    namespace,
    mode: 'audit',
    recordLost: false,
    kafkaVersion: broker.version,
    pin,
  };
}

/** What follows from a quorum that cannot be followed is not said. */
const isFollowed = ({ workload, role, shape }: Broker): boolean =>
  planQuorum({ set: workload.set, shape, role }) !== undefined;

/** What the core's rules say of a broker as it is written; `brokers`: how many its cluster has in all. */
export const observe = (broker: Broker, brokers: number): Finding[] =>
  runRules(rulesFor(broker), factsOf(broker, brokers))
    .findings.filter((f) => f.rule !== 'identity' || f.path !== '/spec/replicas' || isFollowed(broker))
    .map((f) => ({ ...f, action: 'reported' }));
