import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** What Kafka stores of a SCRAM-SHA-512 password (KIP-554): it never sees the password itself. */
export interface SaltedPassword {
  readonly salt: Buffer;
  readonly saltedPassword: Buffer;
  readonly iterations: number;
}

/** Kafka accepts 4,096 to 16,384 iterations (`ScramMechanism`, `ScramControlManager`). */
export const defaultIterations = 8192;

/**
 * `Hi(password, salt, iterations)` of RFC 5802 with SHA-512. The password must be ASCII, so that SASLprep leaves
 * it as it is. Throws RangeError on anything else.
 */
export async function saltPassword(
  password: string,
  options: { iterations?: number; salt?: Buffer } = {},
): Promise<SaltedPassword> {
  if (!/^[\x21-\x7e]+$/.test(password)) {
    throw new RangeError('a SCRAM password is one or more printable ASCII characters');
  }
  const { iterations = defaultIterations, salt = randomBytes(24) } = options;
  return { salt, iterations, saltedPassword: await derive(password, salt, iterations, 64, 'sha512') };
}
