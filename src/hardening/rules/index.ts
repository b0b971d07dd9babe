import type { Rule } from '../draft.ts';
import { adoption } from './adoption.ts';
import { annotations } from './annotations.ts';
import { advertised } from './advertised.ts';
import { authorizer } from './authorizer.ts';
import { autoCreation } from './auto-creation.ts';
import { destructiveInit } from './destructive-init.ts';
import { durability } from './durability.ts';
import { envOrder } from './env-order.ts';
import { floatingTag } from './floating-tag.ts';
import { identity } from './identity.ts';
import { imageProfile } from './image-profile.ts';
import { inlineSecret } from './inline-secret.ts';
import { jmxOpen } from './jmx-open.ts';
import { keystore } from './keystore.ts';
import { malformed } from './malformed.ts';
import { launcher } from './launcher.ts';
import { listeners } from './listeners.ts';
import { plaintextClients } from './plaintext-clients.ts';
import { podSecurity } from './pod-security.ts';
import { preStop } from './pre-stop.ts';
import { probes } from './probes.ts';
import { profile } from './profile.ts';
import { rack } from './rack.ts';
import { resources } from './resources.ts';
import { sasl } from './sasl.ts';
import { service } from './service.ts';
import { serviceLinks } from './service-links.ts';
import { shutdown } from './shutdown.ts';
import { spread } from './spread.ts';
import { storage } from './storage.ts';
import { unparsedCommand } from './unparsed-command.ts';
import { unreadVariables } from './unread-variables.ts';
import { updateStrategy } from './update-strategy.ts';
import { cpuLimit } from './cpu-limit.ts';
import { duplicateVariable } from './duplicate-variable.ts';
import { existingSecurityRule } from './existing-security.ts';
import { heap } from './heap.ts';
import { hostNames } from './host-names.ts';
import { hostNetwork } from './host-network.ts';
import { kafkaVersion } from './kafka-version.ts';
import { placeholder } from './placeholder.ts';
import { quorumSize } from './quorum-size.ts';
import { shellInEnv } from './shell-in-env.ts';
import { unmaintainedImage } from './unmaintained-image.ts';
import { zookeeperLink } from './zookeeper-link.ts';

/** Every rule, in the order in which they run and in which the settings stand in the template. */
export const rules: readonly Rule[] = [
  identity,
  listeners,
  keystore,
  sasl,
  authorizer,
  durability,
  storage,
  shutdown,
  preStop,
  probes,
  spread,
  rack,
  podSecurity,
  serviceLinks,
  service,
  updateStrategy,
  launcher,
  resources,
  advertised,
  plaintextClients,
  unreadVariables,
  envOrder,
  floatingTag,
  inlineSecret,
  jmxOpen,
  autoCreation,
  destructiveInit,
  shellInEnv,
  duplicateVariable,
  placeholder,
  hostNames,
  hostNetwork,
  heap,
  cpuLimit,
  unmaintainedImage,
  kafkaVersion,
  quorumSize,
  zookeeperLink,
  existingSecurityRule,
  unparsedCommand,
  imageProfile,
  adoption,
  annotations,
  malformed,
  profile,
];
