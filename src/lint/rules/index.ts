import type { LintRule } from '../scene.ts';
import { clusterId } from './cluster-id.ts';
import { destructiveStart } from './destructive-start.ts';
import { disruptionBudget } from './disruption-budget.ts';
import { governingService } from './governing-service.ts';
import { heldStop } from './held-stop.ts';
import { jmxExposed } from './jmx-exposed.ts';
import { kafkaUpgrade } from './kafka-upgrade.ts';
import { linkedServices } from './linked-services.ts';
import { nodeIds } from './node-ids.ts';
import { openListeners } from './open-listeners.ts';
import { placeholders } from './placeholders.ts';
import { plaintextExposed } from './plaintext-exposed.ts';
import { removedApi } from './removed-api.ts';
import { secrets } from './secrets.ts';
import { sharedVolume } from './shared-volume.ts';
import { unset } from './unset.ts';
import { voters } from './voters.ts';
import { workloadKind } from './workload-kind.ts';

/** Every rule over all objects together, in the order in which their findings stand. */
export const lintRules: readonly LintRule[] = [
  removedApi,
  workloadKind,
  plaintextExposed,
  openListeners,
  jmxExposed,
  secrets,
  governingService,
  linkedServices,
  disruptionBudget,
  voters,
  nodeIds,
  clusterId,
  sharedVolume,
  destructiveStart,
  heldStop,
  placeholders,
  kafkaUpgrade,
  ...unset,
];
