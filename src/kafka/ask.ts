import { setTimeout as delay } from 'node:timers/promises';
import type { API } from '@platformatic/kafka';
import { describeCluster } from './cluster.ts';
import type { Address } from './connections.ts';
import { KafkaError } from './errors.ts';
import { type ApiVersions, apiVersions } from './versions.ts';

/** How calls reach a broker. */
export interface Ask {
  /** The first broker that can be reached. */
  any<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R>;
  broker<A extends unknown[], R>(id: number, api: API<A, R>, ...args: A): Promise<R>;
  /** The broker at an address, whatever others know of it. */
  at<A extends unknown[], R>(address: Address, api: API<A, R>, ...args: A): Promise<R>;
  /**
   * Any broker, and where that one says that it is not the controller, the one that is: in ZooKeeper mode brokers do not
   * forward what only the controller may do.
   */
  controller<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R>;
  versions(): Promise<ApiVersions>;
}

/** What calls go over. */
export interface Route {
  call<A extends unknown[], R>(address: Address, api: API<A, R>, ...args: A): Promise<R>;
  addresses(): readonly Address[];
  /** A broker could not be asked; the next one is. */
  onFailure(error: KafkaError): void;
}

/** A controller that was just elected may not be known to every broker yet. */
const controllerTries = { count: 4, pauseMs: 250 };

/**
 * Calls one address after the other, from the one that answered last. `passOn` returns an error for which the next one is
 * asked and throws any other; `failed` makes one error of all where none answered.
 */
export function oneAfterTheOther(
  route: Pick<Route, 'addresses' | 'call'>,
  passOn: (error: unknown) => KafkaError,
  failed: (errors: readonly KafkaError[]) => KafkaError,
): Ask['any'] {
  let preferred = 0;
  return async (api, ...args) => {
    const known = route.addresses();
    const errors: KafkaError[] = [];
    for (const [offset] of known.entries()) {
      const index = (preferred + offset) % known.length;
      const address = known[index];
      if (address === undefined) continue;
      try {
        const answer = await route.call(address, api, ...args);
        preferred = index;
        return answer;
      } catch (error) {
        errors.push(passOn(error));
      }
    }
    throw failed(errors);
  };
}

export function askOf(route: Route): Ask {
  const unreached = (error: unknown): KafkaError => {
    if (!(error instanceof KafkaError) || error.reason !== undefined) throw error;
    route.onFailure(error);
    return error;
  };
  const any = oneAfterTheOther(route, unreached, (errors) => allFailed(errors));

  const ask: Ask = {
    any,
    versions: () => apiVersions(ask),
    at: (address, api, ...args) => route.call(address, api, ...args),
    async broker(id, api, ...args) {
      const { brokers } = await describeCluster(ask);
      const found = brokers.find((broker) => broker.id === id);
      if (found === undefined) {
        throw new KafkaError('kafka-unreachable', `Broker ${id} is not registered and alive`);
      }
      return route.call(found, api, ...args);
    },
    async controller(api, ...args) {
      let refusal: KafkaError;
      try {
        return await any(api, ...args);
      } catch (error) {
        refusal = notController(error);
      }
      for (let tried = 0; tried < controllerTries.count; tried++) {
        if (tried > 0) await delay(controllerTries.pauseMs);
        const { controllerId } = await describeCluster(ask);
        if (controllerId < 0) continue;
        try {
          return await ask.broker(controllerId, api, ...args);
        } catch (error) {
          refusal = notController(error);
        }
      }
      throw refusal;
    },
  };
  return ask;
}

/** Throws whatever is no such refusal. */
function notController(error: unknown): KafkaError {
  if (error instanceof KafkaError && error.reason === 'NOT_CONTROLLER') return error;
  throw error;
}

/** The most telling code counts: a broker that was reached says more than one that was not. */
export function allFailed(errors: readonly KafkaError[], of: 'broker' | 'controller' = 'broker'): KafkaError {
  const [first] = errors;
  if (first === undefined) return new KafkaError('kafka-unreachable', `No ${of} is known yet`);
  if (errors.length === 1) return first;
  const telling = errors.find(({ code }) => code !== 'kafka-unreachable') ?? first;
  const problems = errors.map(({ problem }) => problem).join('; ');
  return new KafkaError(telling.code, `No ${of} answered (${problems})`, { cause: telling });
}
