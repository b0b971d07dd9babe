import { until } from '../../support/until.ts';
import { type Loss, lossOf } from './loss.ts';
import type { ClientSettings, Reading, Tally } from './tally.ts';
import { producerProperties, tallyOf, verifiableArguments } from './verifiable.ts';

/** Where the clients run: this machine or a pod. All paths are as they are there. */
export interface Place {
  /** Where results are left; shared by both clients. */
  readonly folder: string;
  readonly connection: Pick<ClientSettings, 'secret' | 'bootstrap'>;
  /** Configuration of a Java client, as text for a file. */
  readonly properties: string;
  /** A word for the command that starts the kafkajs client (`node …/client.ts`). */
  readonly clientCommand: string;
  /** A word for the command that starts a tool's class. */
  readonly verifiableCommand: string;
  /** Runs a script of sh where one of the clients is, to its end. */
  shell(client: 'kafkajs' | 'java', script: string): Promise<string>;
}

export interface WorkloadOptions {
  readonly topic: string;
  /** 60 where absent. */
  readonly partitions?: number;
  readonly assignment?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly tallies: readonly Tally[];
  readonly reading: Reading;
  /** What the group had that read along. */
  readonly following: Reading;
  readonly loss: Loss;
}

/** Both producers on one topic, a consumer group that reads along, and the reading of it afterwards. */
export interface Workload {
  create(): Promise<void>;
  /** Waits until the cluster has so many brokers. */
  serving(brokers: number): Promise<void>;
  /** Resolves when both producers have been acknowledged something; a consumer group reads along, from the beginning. */
  start(): Promise<void>;
  /** Ends when all replicas of all partitions are in sync; throws where they are not in time (a minute). */
  inSync(timeoutSeconds?: number): Promise<void>;
  /** Stops the producers, waits until they have given everything up or got it through, and until all is read. */
  stop(): Promise<Outcome>;
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** How long the producers may take to get their last messages through: all retries of one send. */
const drainMs = 240_000;
/** How long the group that reads along may take to the end after that: it gives up by itself after two minutes. */
const followMs = 150_000;

export function workloadIn(place: Place, options: WorkloadOptions): Workload {
  const { topic, partitions = 60, assignment, configs } = options;
  const { folder, connection } = place;
  const settings: ClientSettings = {
    ...{ topic, partitions, folder, group: `judge-${topic}`, intervalMs: 500 },
    ...connection,
    ...(assignment === undefined ? {} : { assignment }),
    ...(configs === undefined ? {} : { configs }),
  };
  const command = (verb: string) => `${place.clientCommand} ${quoted(JSON.stringify(settings))} ${verb}`;
  const client = (verb: string) => place.shell('kafkajs', command(verb));
  const has = async (file: string) =>
    (await place.shell('kafkajs', `test -s ${folder}/${file} && echo yes || true`)).includes('yes');
  const text = (file: string) => place.shell('kafkajs', `cat ${folder}/${file}`);

  const verifiable = (bootstrap: string): string => {
    const load = { topic, partitions, bootstrap, properties: `${folder}/producer.properties` };
    return `${place.verifiableCommand} ${verifiableArguments(load).map(quoted).join(' ')}`;
  };

  return {
    async create() {
      await client('create');
    },
    async serving(brokers) {
      await client(`serving ${brokers}`);
    },
    async start() {
      await place.shell(
        'kafkajs',
        `cd ${folder} && rm -f stop read-up-to kafkajs.* java.* reading.* following.*`,
      );
      const bootstrap =
        connection.bootstrap ??
        (await place.shell('java', `cat ${connection.secret}/bootstrap.servers`)).trim();
      const properties = `${place.properties}\n${producerProperties}`;
      // The shell outlives the call that starts it, and keeps what the tool says about its end.
      await place.shell(
        'java',
        `cd ${folder} && printf %s ${quoted(properties)} >producer.properties
         nohup sh -c ${quoted(`${verifiable(bootstrap)} & echo $! >java.pid; wait $!; echo $? >java.done`)} >java.jsonl 2>java.log </dev/null &`,
      );
      await place.shell(
        'kafkajs',
        `cd ${folder} && (nohup ${command('produce')} >kafkajs.log 2>&1 </dev/null &
         nohup ${command('follow')} >following.log 2>&1 </dev/null &)`,
      );
      const check = `cd ${folder} && test -e kafkajs.first && grep -m 1 -q send_success java.jsonl && echo yes || true`;
      try {
        await until('both producers are acknowledged', async () =>
          (await place.shell('kafkajs', check)).includes('yes'),
        );
      } catch (cause) {
        const logs = await place.shell(
          'kafkajs',
          `cd ${folder} && tail -n 5 kafkajs.log && tail -n 5 java.log`,
        );
        throw new Error(`${(cause as Error).message}; the producers say: ${logs.trim()}`, { cause });
      }
    },
    async inSync(timeoutSeconds = 60) {
      await client(`in-sync ${timeoutSeconds}`);
    },
    async stop() {
      await place.shell('java', `cd ${folder} && touch stop && (kill -TERM $(cat java.pid) || true)`);
      await until(
        'both producers have ended',
        async () => (await has('java.done')) && (await has('kafkajs.json')),
        {
          timeoutMs: drainMs,
        },
      );
      const tallies = [JSON.parse(await text('kafkajs.json')) as Tally, tallyOf(await text('java.jsonl'))];
      await place.shell('kafkajs', `touch ${folder}/read-up-to`);
      await client('read');
      const reading = JSON.parse(await text('reading.json')) as Reading;
      await until('the group that reads along has ended', () => has('following.json'), {
        timeoutMs: followMs,
      }).catch(async (cause: unknown) => {
        throw new Error(`The consumer group says: ${await text('following.log')}`, { cause });
      });
      const following = JSON.parse(await text('following.json')) as Reading;
      return { tallies, reading, following, loss: lossOf(tallies, reading, following) };
    },
  };
}
