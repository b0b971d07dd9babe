import { type Acl, KafkaError } from '../../kafka/index.ts';
import { paths } from '../../kubernetes/paths.ts';
import { userSecretOf } from '../../names.ts';
import { servingSets } from '../cluster-set.ts';
import { type Finding, dated } from '../conditions.ts';
import type { Context, Report } from '../context.ts';
import type { NodesAuthority } from '../credentials/index.ts';
import { type Secret } from '../objects.ts';
import { reasonOf } from '../brokers/index.ts';
import { ownLabels, readSecret, writeSecret } from '../secrets.ts';
import { bootstrapAddress } from '../services/bootstrap.ts';
import { accessProblem, aclChanges, aclsOf, nameProblem } from './access.ts';
import { type Journal, openJournal } from './journal.ts';
import { type KafkaUser, type KafkaUserStatus, usernameOf } from './kafka-user.ts';
import { belongsTo, credentialAnnotation, credentialDigest, passwordOf, userSecret } from './secret.ts';

/** How one user stands. */
type Outcome =
  | { readonly ready: true }
  | {
      readonly ready: false;
      readonly reason: string;
      readonly message: string;
      /** Worth another look soon, with nothing changed. */
      readonly mayPassLater?: boolean;
    };

/** Users in Kafka as the `KafkaUser` objects say, and their Secrets. */
export async function reconcileUsers(context: Context, nodes: NodesAuthority): Promise<Report> {
  const { sets, users } = context.world();
  const authority = nodes.current;
  if (users === undefined || authority === undefined || servingSets(sets).length === 0)
    return { conditions: [] };
  const bootstrap = bootstrapAddress(sets, context.namespace);
  const journal = await openJournal(context);
  const known = await usersInKafka(context);
  const secrets = await ownSecrets(context);
  let ready = 0;
  let mayPassLater = known instanceof KafkaError && users.length > 0;
  const owners = new Map<string, string>();
  for (const user of byAge(users.filter(({ metadata }) => metadata.deletionTimestamp === undefined))) {
    const problem = problemOf(user, owners);
    const outcome =
      problem ??
      (known instanceof KafkaError
        ? withoutKafka(user, known)
        : await reconcileUser(context, user, {
            journal,
            secrets,
            ...known,
            bootstrap,
            caPem: authority.certificatePem,
          }));
    if (outcome.ready) ready += 1;
    else mayPassLater ||= outcome.mayPassLater === true;
    await writeStatus(context, user, { outcome, bootstrap });
  }
  if (!(known instanceof KafkaError)) {
    for (const gone of journal.usernames) if (!owners.has(gone)) await removeUser(context, gone, journal);
  }
  context.metrics.users.set({ ready: 'true' }, ready);
  context.metrics.users.set({ ready: 'false' }, users.length - ready);
  return {
    conditions: [],
    facts: { users: { total: users.length, ready } },
    ...(mayPassLater && ready < users.length ? { againInMs: 2_000 } : {}),
  };
}

interface UsersInKafka {
  /** Names of the users with a password. */
  readonly scram: ReadonlySet<string>;
  /** Access rules by principal. */
  readonly acls: ReadonlyMap<string, readonly Acl[]>;
}

/** What Kafka has of all users, in two calls; or why it cannot tell. */
async function usersInKafka({ kafka }: Context): Promise<UsersInKafka | KafkaError> {
  try {
    const scram = new Set((await kafka.describeScramUsers()).map(({ name }) => name));
    return { scram, acls: Map.groupBy(await kafka.describeAcls(), ({ principal }) => principal) };
  } catch (error) {
    if (error instanceof KafkaError) return error;
    throw error;
  }
}

/** The Secrets that this sidecar made, by name. */
async function ownSecrets({ kube, namespace, cluster }: Context): Promise<ReadonlyMap<string, Secret>> {
  const labelSelector = Object.entries(ownLabels(cluster))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const secrets = await kube.list<Secret>(paths.secrets(namespace), { labelSelector });
  return new Map(secrets.map((secret) => [secret.metadata.name ?? '', secret]));
}

/** The oldest first: where two objects claim one name, the elder has it. */
const byAge = (users: readonly KafkaUser[]): KafkaUser[] =>
  [...users].sort(
    (a, b) =>
      String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp)) ||
      a.metadata.name.localeCompare(b.metadata.name),
  );

/** Refusals that need no look at Kafka; enters the name into `owners` where there is none. */
function problemOf(user: KafkaUser, owners: Map<string, string>): Outcome | undefined {
  const username = usernameOf(user);
  const name = nameProblem(username);
  if (name !== undefined)
    return { ready: false, reason: 'InvalidName', message: `${name}. Choose another username.` };
  const owner = owners.get(username);
  if (owner !== undefined) {
    const message = `KafkaUser ${owner} has the username ${username} already. Choose another one.`;
    return { ready: false, reason: 'NameTaken', message };
  }
  owners.set(username, user.metadata.name);
  const access = accessProblem(user);
  return access === undefined ? undefined : { ready: false, reason: 'InvalidAccess', message: `${access}.` };
}

interface UserWork extends UsersInKafka {
  readonly journal: Journal;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly bootstrap: string;
  readonly caPem: string;
}

/** The Secret comes last: nobody has the password before the access rules stand. */
async function reconcileUser(context: Context, user: KafkaUser, work: UserWork): Promise<Outcome> {
  const { kube, kafka, namespace, cluster } = context;
  const username = usernameOf(user);
  const secretName = userSecretOf(user.metadata.name);
  const existing = work.secrets.get(secretName) ?? (await readSecret(kube, namespace, secretName));
  if (existing !== undefined && !belongsTo(existing, user)) {
    const message = `Secret ${secretName} is there and is not this KafkaUser's. Rename the KafkaUser, or delete the Secret.`;
    return { ready: false, reason: 'SecretTaken', message };
  }
  try {
    await work.journal.add(username);
    const changes = aclChanges(work.acls.get(`User:${username}`) ?? [], aclsOf(user));
    await kafka.createAcls(changes.addDeny);
    await kafka.createAcls(changes.addAllow);
    await kafka.deleteAcls(changes.removeAllow);
    await kafka.deleteAcls(changes.removeDeny);
    const password = passwordOf(existing);
    if (!work.scram.has(username) || !wasGiven(existing, password)) {
      await kafka.upsertScramCredential(username, password);
      context.log.info({ event: 'user-credentials', username }, 'gave Kafka the credentials of a user');
    }
    const { bootstrap, caPem } = work;
    const secret = userSecret({ user, cluster, bootstrap, caPem }, password, existing);
    if (secret !== existing) await writeSecret(kube, secret);
    return { ready: true };
  } catch (error) {
    if (error instanceof KafkaError) return withoutKafka(user, error);
    throw error;
  }
}

/** Whoever could log in before can do so when Kafka is back: only users that are not made yet are told to wait. */
function withoutKafka({ metadata, status }: KafkaUser, error: KafkaError): Outcome {
  const [ready] = status?.conditions ?? [];
  if (ready?.status === 'True' && status?.observedGeneration === metadata.generation) return { ready: true };
  const message = error.reason === undefined ? `Kafka is not there yet. ${error.remedy}` : error.message;
  return { ready: false, reason: reasonOf(error), message, mayPassLater: error.mayPassLater };
}

const wasGiven = (secret: Secret | undefined, password: string): boolean =>
  secret?.metadata.annotations?.[credentialAnnotation] === credentialDigest(password);

/** Rights first, so that sessions that go on can do nothing; denials last. Its Secret goes with the `KafkaUser`. */
async function removeUser(context: Context, username: string, journal: Journal): Promise<void> {
  const { kafka } = context;
  const { removeAllow, removeDeny } = aclChanges(await kafka.describeAcls(`User:${username}`), []);
  await kafka.deleteAcls(removeAllow);
  await kafka.deleteScramCredential(username);
  await kafka.deleteAcls(removeDeny);
  await journal.remove(username);
  context.log.info({ event: 'user-removed', username }, 'removed a user whose KafkaUser is gone');
}

async function writeStatus(
  context: Context,
  user: KafkaUser,
  { outcome, bootstrap }: { outcome: Outcome; bootstrap: string },
): Promise<void> {
  const { name, namespace = context.namespace, generation } = user.metadata;
  const finding: Finding = outcome.ready
    ? { type: 'Ready', status: 'True', reason: 'Ready', message: 'The user can log in.' }
    : { type: 'Ready', status: 'False', reason: outcome.reason, message: outcome.message };
  const status: KafkaUserStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    username: usernameOf(user),
    bootstrap,
    ...(outcome.ready ? { secret: userSecretOf(name) } : {}),
    conditions: dated([finding], user.status?.conditions, context.now()),
  };
  if (sameStatus(user.status, status)) return;
  await context.kube.patch(`${paths.kafkausers(namespace, name)}/status`, { status }, 'merge');
}

const sameStatus = (held: KafkaUserStatus | undefined, wanted: KafkaUserStatus): boolean => {
  const part = (status: KafkaUserStatus | undefined) =>
    JSON.stringify([
      status?.observedGeneration,
      status?.username,
      status?.bootstrap,
      status?.conditions?.map(({ type, status: state, reason, message }) => [type, state, reason, message]),
    ]);
  return part(held) === part(wanted);
};
