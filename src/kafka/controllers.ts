import { setTimeout as delay } from 'node:timers/promises';
import { type Ask, type Route, allFailed, oneAfterTheOther } from './ask.ts';
import { KafkaError } from './errors.ts';
import {
  type ResourceChanges,
  type ResourceOutcome,
  incrementalAlterConfigsV1,
  resourcesPerRequest,
} from './many-configs.ts';
import { chunksOf } from './partitions.ts';
import { apiVersions, supported } from './versions.ts';

/**
 * What is asked of the controllers themselves, on their own listener. A broker refuses settings of another one
 * (`ConfigAdminManager.validateResourceNameIsCurrentNodeId`); the controllers take those of every broker that is
 * registered, alive or not. They tell nobody's but their own (`ConfigHelper.describeConfigs`), so nothing is read here.
 */
export interface KafkaControllers {
  /**
   * Each resource succeeds or is refused by itself; what succeeds has been committed by the quorum. Throws a `KafkaError`
   * where no active controller can be found.
   */
  alterManyConfigs(changes: readonly ResourceChanges[]): Promise<ResourceOutcome[]>;
  close(): Promise<void>;
}

/** Times around all controllers: an election takes a second or two. */
const rounds = { count: 4, pauseMs: 500 };

/** Every call reaches the active controller: the others say that they are not it, and the next one is asked. */
export function controllersAsk(route: Route, pauseMs = rounds.pauseMs): Pick<Ask, 'any' | 'versions'> {
  const once = oneAfterTheOther(route, elsewhere, (errors) => {
    errors.forEach((error) => route.onFailure(error));
    return allFailed(errors, 'controller');
  });

  const any: Ask['any'] = async (api, ...args) => {
    for (let left = rounds.count - 1; ; left--) {
      try {
        return await once(api, ...args);
      } catch (error) {
        const refusal = elsewhere(error);
        if (left === 0 || route.addresses().length === 0) throw refusal;
      }
      await delay(pauseMs);
    }
  };
  return { any, versions: () => apiVersions({ any }) };
}

/** Not reached, or not the active one: another may do. Throws whatever else it is. */
function elsewhere(error: unknown): KafkaError {
  if (!(error instanceof KafkaError)) throw error;
  if (error.reason !== undefined && error.reason !== 'NOT_CONTROLLER') throw error;
  return error;
}

export async function alterAtControllers(
  ask: Pick<Ask, 'any' | 'versions'>,
  changes: readonly ResourceChanges[],
): Promise<ResourceOutcome[]> {
  if (changes.length === 0) return [];
  const call = supported(await ask.versions(), [incrementalAlterConfigsV1]);
  const outcomes: ResourceOutcome[] = [];
  for (const part of chunksOf(changes, resourcesPerRequest)) outcomes.push(...(await ask.any(call, part)));
  return outcomes;
}
