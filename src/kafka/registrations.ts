import { unregisterBrokerV0 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { KafkaError } from './errors.ts';
import { supported } from './versions.ts';

/**
 * UnregisterBroker (KIP-631): KRaft only, where any broker forwards it to the controller. One that is not registered is no
 * error. The controller does not ask whether the broker lives: the caller has to.
 */
export async function unregisterBroker(ask: Ask, broker: number): Promise<void> {
  const call = supported(await ask.versions(), [unregisterBrokerV0.api]);
  try {
    await ask.any(call, broker);
  } catch (error) {
    if (error instanceof KafkaError && error.reason === 'BROKER_ID_NOT_REGISTERED') return;
    throw error;
  }
}
