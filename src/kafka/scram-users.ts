import {
  ScramMechanisms,
  alterUserScramCredentialsV0,
  describeUserScramCredentialsV0,
} from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { KafkaError } from './errors.ts';
import { saltPassword } from './scram.ts';

/** A user with a SCRAM-SHA-512 password. */
export interface ScramUser {
  readonly name: string;
  readonly iterations: number;
}

const mechanism = ScramMechanisms.SCRAM_SHA_512;

export async function upsertScram(ask: Ask, name: string, password: string): Promise<void> {
  const salted = await saltPassword(password);
  await ask.controller(alterUserScramCredentialsV0.api, [], [{ name, mechanism, ...salted }]);
}

export async function deleteScram(ask: Ask, name: string): Promise<void> {
  try {
    await ask.controller(alterUserScramCredentialsV0.api, [{ name, mechanism }], []);
  } catch (error) {
    if (error instanceof KafkaError && error.reason === 'RESOURCE_NOT_FOUND') return;
    throw error;
  }
}

/** Users with SCRAM-SHA-512; those with other mechanisms only are left out. */
export async function describeScram(ask: Ask): Promise<ScramUser[]> {
  const { results } = await ask.any(describeUserScramCredentialsV0.api, null);
  return results.flatMap(({ user, credentialInfos }) =>
    credentialInfos
      .filter((info) => info.mechanism === mechanism)
      .map(({ iterations }) => ({ name: user, iterations })),
  );
}
