import { harden, isHardened, newestPinFor, profilePins, type StatefulSet } from '../../hardening/index.ts';
import { at, clone, escaped, isObject, put, type Json, type JsonObject } from '../../hardening/tree.ts';
import { keys } from '../../names.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { assess, isStatefulSet, namespaceOf } from '../assess.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { documentsOf, type ManifestDocument } from '../manifest/document.ts';
import { objectsOf, withReplacements } from '../manifest/objects.ts';
import { readSources } from '../manifest/read.ts';
import { block } from '../manifest/render.ts';
import { agreed } from '../output/agreed.ts';
import { unifiedDiff } from '../output/diff.ts';
import { diffText, rewritten, yamlStream } from '../output/manifests.ts';
import type { Terminal } from '../output/terminal.ts';

export interface ProfileUpgradeOptions {
  readonly target?: string;
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly to?: string;
  readonly diff?: boolean;
  readonly yes?: boolean;
  readonly kubeconfig?: string;
}

const unknown = (given: string | undefined, known: readonly string[]) =>
  new CliError('unknown-profile', `There is no profile ${given}. Known: ${known.join(', ')}.`);

/** Refuses a profile that no family has, before anybody is asked. */
function checkProfile(given: string | undefined): void {
  if (given !== undefined && !profilePins.some((one) => one === given || one.endsWith(`/${given}`)))
    throw unknown(given, profilePins);
}

/** The pin to move to: the newest of the set's family, or the one that is asked for, by its number or in full. */
const pinFor = (set: JsonObject, given: string | undefined): string => {
  const family = currentPin(set)?.split('/')[0] ?? '';
  const known = profilePins.filter((one) => one.startsWith(`${family}/`));
  const pin =
    given === undefined
      ? newestPinFor(currentPin(set))
      : known.find((one) => one === given || one === `${family}/${given}`);
  if (pin === undefined) throw unknown(given ?? currentPin(set), known.length > 0 ? known : profilePins);
  return pin;
};

/** A set with another pin, hardened by it, and the JSON Patch that leads there. */
const upgraded = (set: JsonObject, namespace: string, pin: string) => {
  const pinned = put(set, ['metadata', 'annotations', keys.profile], pin);
  const { decision, findings, patch, workload } = harden(pinned as unknown as StatefulSet, {
    namespace,
    old: set,
  });
  if (decision !== 'hardened') {
    const reasons = findings.map(({ message }) => message).join('; ');
    throw new CliError('refused', `The set cannot be hardened by ${pin}: ${reasons || decision}.`);
  }
  const path = `/metadata/annotations/${escaped(keys.profile)}`;
  const operations = patch.map(({ rule: _rule, ...operation }) => operation);
  return {
    value: workload as unknown as JsonObject,
    patch: [{ op: 'replace', path, value: pin }, ...operations],
  };
};

const currentPin = (set: JsonObject): string | undefined =>
  (set as unknown as StatefulSet).metadata?.annotations?.[keys.profile];

const offline = (
  options: ProfileUpgradeOptions & { filename: readonly string[] },
  terminal: Terminal,
): ExitCode => {
  const documents: ManifestDocument[] = readSources(options.filename).flatMap(documentsOf);
  // Checks the shape of what is read, as `harden` does.
  assess(documents, { namespace: options.namespace });
  const replacements = documents
    .flatMap(objectsOf)
    .filter((object) => isStatefulSet(object) && isHardened(object.value as unknown as StatefulSet))
    .map((object) => {
      const pin = pinFor(object.value, options.to);
      terminal.err(`StatefulSet ${object.name}: ${currentPin(object.value) ?? ''} → ${pin}\n`);
      return { object, value: upgraded(object.value, namespaceOf(object, options.namespace), pin).value };
    });
  if (replacements.length === 0)
    throw new CliError(
      'not-hardened',
      'The input holds no hardened StatefulSet; `kafka-warden harden` makes one.',
    );
  const files = rewritten(documents, (document) => withReplacements(document, replacements));
  terminal.out(options.diff ? diffText(files, 'upgraded', terminal.colour.out) : yamlStream(files));
  return exitCodes.ok;
};

const versionOf = (set: JsonObject): Json => at(set, ['metadata', 'resourceVersion']) ?? null;

const shape = { step: 2, sequences: false };

/** What a person compares: without status, field owners, and what kubectl keeps for itself. */
const withoutServerFields = (set: JsonObject): JsonObject => {
  const { status: _status, ...rest } = clone(set);
  const metadata = isObject(rest['metadata']) ? rest['metadata'] : {};
  delete metadata['managedFields'];
  if (isObject(metadata['annotations']))
    delete metadata['annotations']['kubectl.kubernetes.io/last-applied-configuration'];
  return rest;
};

const online = async (
  options: ProfileUpgradeOptions & { target: string },
  terminal: Terminal,
): Promise<ExitCode> => {
  const name = /^(?:statefulsets?|sts)\/(.+)$/.exec(options.target)?.[1];
  if (name === undefined)
    throw new CliError(
      'usage',
      `Name what to upgrade as statefulset/NAME, not ${options.target}; or give -f FILE.`,
    );
  const kube = await clusterAccess(options.kubeconfig);
  const namespace = options.namespace ?? kube.namespace ?? 'default';
  const path = paths.statefulsets(namespace, name);
  const set = await asking('read StatefulSets', async () => {
    try {
      return await kube.get<JsonObject>(path);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      throw new CliError('not-found', `There is no StatefulSet ${name} in the namespace ${namespace}.`);
    }
  });
  const pinned = currentPin(set);
  if (pinned === undefined)
    throw new CliError('not-hardened', `StatefulSet ${namespace}/${name} is not hardened by kafka-warden.`);
  const pin = pinFor(set, options.to);
  if (pinned === pin) {
    terminal.err(`StatefulSet ${namespace}/${name} has the profile ${pin} already.\n`);
    return exitCodes.ok;
  }
  const { value, patch } = upgraded(set, namespace, pin);
  const before = block(withoutServerFields(set), shape);
  const after = block(withoutServerFields(value), shape);
  const named = (text: string, what: string) => ({
    name: `${namespace}/${name} (${what})`,
    text: `${text}\n`,
  });
  terminal.out(unifiedDiff(named(before, pinned), named(after, pin), terminal.colour.out));
  if (options.yes !== true && !(await agreed('This starts a rolling update. Go on?', terminal))) {
    if (!process.stdin.isTTY) terminal.err('Nothing was changed; --yes changes it.\n');
    return exitCodes.ok;
  }
  // Another write in between fails the patch: what was shown is what is written.
  const unchanged = { op: 'test', path: '/metadata/resourceVersion', value: versionOf(set) };
  await asking('change StatefulSets', () => kube.patch(path, [unchanged, ...patch], 'json'));
  terminal.err(
    `StatefulSet ${namespace}/${name}: ${pinned} → ${pin}. Watch: kubectl -n ${namespace} rollout status ${options.target}\n`,
  );
  return exitCodes.ok;
};

/**
 * `kafka-warden profile upgrade`: moves a hardened StatefulSet to a newer profile version: in a manifest (`-f`), or in
 * the cluster after showing the difference and asking.
 */
export const profileUpgradeCommand = async (
  options: ProfileUpgradeOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const { target, filename = [] } = options;
  checkProfile(options.to);
  if (filename.length > 0 && target === undefined) return offline({ ...options, filename }, terminal);
  if (target !== undefined && filename.length === 0) return online({ ...options, target }, terminal);
  throw new CliError('usage', 'Name either statefulset/NAME or a manifest with -f FILE.');
};
