import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { objectsOf } from '../../names.ts';
import type { Context } from '../context.ts';
import type { ConfigMap } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/**
 * The names of the users that were made in Kafka, written before each is made: a user whose `KafkaUser` is gone can
 * so be removed later, without a finalizer, which would hold a namespace that is deleted together with its sidecar.
 */
export interface Journal {
  readonly usernames: ReadonlySet<string>;
  add(username: string): Promise<void>;
  remove(username: string): Promise<void>;
}

export const journalName = (cluster: string): string => `${objectsOf(cluster).warden}-users`;

/** Reads the journal; names stand as keys, made safe for a ConfigMap by hexadecimal of what is not allowed there. */
export async function openJournal(context: Context): Promise<Journal> {
  const { kube, namespace, cluster } = context;
  const name = journalName(cluster);
  const path = paths.configmaps(namespace, name);
  const stored = await kube.tryGet<ConfigMap>(path);
  const usernames = new Set(Object.values(stored?.data ?? {}));

  const write = async (username: string, value: string | null): Promise<void> => {
    const body = { data: { [keyOf(username)]: value } };
    await kube.patch(path, body, 'merge').catch(async (error: unknown) => {
      if (!isStatus(error, 404)) throw error;
      if (value === null) return;
      const metadata = { name, namespace, labels: ownLabels(cluster) };
      await kube.create(paths.configmaps(namespace), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata,
        ...body,
      });
    });
  };
  return {
    usernames,
    async add(username) {
      if (usernames.has(username)) return;
      await write(username, username);
      usernames.add(username);
    },
    async remove(username) {
      await write(username, null);
      usernames.delete(username);
    },
  };
}

const keyOf = (username: string): string =>
  username.replace(/[^A-Za-z0-9.-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`);
