import { configurationOf, type Configuration, type Value } from '../hardening/configuration.ts';
import type { Start } from '../hardening/command.ts';
import type { Container } from '../hardening/model.ts';
import { withoutSlash } from '../hardening/mounts.ts';
import type { Profile } from '../hardening/profiles/profile.ts';
import { escaped } from '../hardening/tree.ts';
import { elsewhere } from './places.ts';
import { isBrokerFile, parseProperties, type Property } from './properties.ts';
import { nameOf, textsAt, type Subject } from './subject.ts';
import type { Workload } from './workload.ts';

/** A ConfigMap of the input and its number there. */
export interface ConfigMap {
  readonly index: number;
  readonly subject: Subject;
  readonly data: Readonly<Record<string, string>>;
}

export const configMapOf = (subject: Subject, index: number): ConfigMap => ({
  index,
  subject,
  data: textsAt(subject.value, 'data'),
});

/** What configures one broker container. */
export interface Sources {
  workload: Workload;
  container: Container;
  start: Start;
  profile: Profile;
  /** Those of the workload's namespace. */
  configMaps: readonly ConfigMap[];
}

const named = (configMaps: readonly ConfigMap[], name: string | undefined) =>
  configMaps.find((c) => nameOf(c.subject) === name);

/** Keys are anybody's choice, `constructor` too. */
const entryOf = ({ data }: ConfigMap, key: string): string | undefined =>
  Object.hasOwn(data, key) ? data[key] : undefined;

const dataPlace = (map: ConfigMap, key: string) => elsewhere(map.index, `/data/${escaped(key)}`);

interface Variable {
  name: string;
  value: string;
  from: string;
}

/** What `envFrom` brings in from ConfigMaps of the input, and the sources that are not among them. */
function fromEnvFrom({ container, configMaps }: Sources) {
  const variables: Variable[] = [];
  const rest: NonNullable<Container['envFrom']> = [];
  for (const source of container.envFrom ?? []) {
    const map = named(configMaps, source.configMapRef?.name);
    if (map === undefined) rest.push(source);
    else
      for (const [key, value] of Object.entries(map.data))
        variables.push({ name: `${source.prefix ?? ''}${key}`, value, from: dataPlace(map, key) });
  }
  return { variables, rest };
}

/** `env` with what references to keys of ConfigMaps stand for. */
function resolvedEnv({ container, configMaps }: Sources) {
  return (container.env ?? []).map((entry, i) => {
    const reference = entry.valueFrom?.configMapKeyRef;
    const map = named(configMaps, reference?.name);
    const value = map === undefined ? undefined : entryOf(map, reference?.key ?? '');
    if (map === undefined || reference === undefined || value === undefined)
      return { entry, from: `/env/${i}` };
    return { entry: { name: entry.name, value }, from: dataPlace(map, reference.key) };
  });
}

/** A properties file of the input that the broker reads. */
interface File {
  map: ConfigMap;
  key: string;
  properties: Property[];
  /** The broker reads this very file: what is not in it is not set. */
  exact: boolean;
}

type Mount = NonNullable<Container['volumeMounts']>[number];

/** The ConfigMap's key that a path below its mount is. */
function keyBelow({ workload, configMaps }: Sources, mount: Mount, path: string) {
  const root = withoutSlash(mount.mountPath);
  const source = workload.pod.volumes?.find((v) => v.name === mount.name)?.configMap;
  const map = named(configMaps, source?.name);
  if (map === undefined || !`${path}/`.startsWith(`${root}/`)) return undefined;
  const inner = path === root ? (mount.subPath ?? '') : path.slice(root.length + 1);
  const key = source?.items?.find((i) => i.path === inner)?.key ?? inner;
  return entryOf(map, key) === undefined ? undefined : { map, key };
}

/** The key of a ConfigMap that a mounted file is. */
const keyAt = (sources: Sources, path: string): { map: ConfigMap; key: string } | undefined =>
  (sources.container.volumeMounts ?? [])
    .map((mount) => keyBelow(sources, mount, path))
    .find((found) => found !== undefined);

const fileFrom = (map: ConfigMap, key: string, exact: boolean): File => ({
  map,
  key,
  properties: parseProperties(map.data[key] ?? ''),
  exact,
});

/** The file that the broker starts from; where a script copies it first, the one among the mounted that looks like it. */
function fileOf(sources: Sources, configuration: Configuration): File | undefined {
  const { profile, workload, configMaps, start } = sources;
  const { delivery } = configuration;
  const paths =
    delivery.kind === 'file'
      ? [delivery.path]
      : profile.mountedDirectories.map((directory) => `${directory}/server.properties`);
  for (const path of paths) {
    const found = keyAt(sources, path);
    if (found !== undefined) return fileFrom(found.map, found.key, start.kind !== 'shell');
  }
  if (delivery.kind !== 'file') return undefined;
  const mounted = configMaps.filter((c) =>
    workload.pod.volumes?.some(
      (v) => v.configMap?.name !== undefined && v.configMap.name === nameOf(c.subject),
    ),
  );
  for (const map of mounted)
    for (const key of Object.keys(map.data)) {
      const file = fileFrom(map, key, false);
      if (/\.(properties|conf|config|cfg)$/.test(key) && isBrokerFile(file.properties)) return file;
    }
  return undefined;
}

/** A configuration in which ConfigMaps of the input can be seen too: a value from one names its place there. */
export function resolvedConfiguration(sources: Sources): Configuration {
  const { container, start, workload, profile } = sources;
  const { variables, rest } = fromEnvFrom(sources);
  const own = resolvedEnv(sources);
  const places = [...variables.map((v) => v.from), ...own.map((e) => e.from)];
  const { envFrom: _envFrom, ...others } = container;
  const shown: Container = {
    ...others,
    env: [...variables.map(({ name, value }) => ({ name, value })), ...own.map((e) => e.entry)],
    ...(rest.length > 0 && { envFrom: rest }),
  };
  const base = configurationOf(shown, { start, pod: workload.pod, profile });
  const placed = (value: Value): Value => {
    if (!('from' in value)) return value;
    const index = /^\/env\/(\d+)$/.exec(value.from)?.[1];
    const from = index === undefined ? value.from : (places[Number(index)] ?? value.from);
    return { ...value, from };
  };
  const file = fileOf(sources, base);
  const inFile = (name: string): Value | undefined => {
    const entry = file?.properties.findLast((p) => p.key === name);
    if (file === undefined || entry === undefined) return undefined;
    const from = dataPlace(file.map, file.key);
    return /^\$\{?[A-Z_]+\}?$|^__\w+__$|^#\w+#$/.test(entry.value)
      ? { state: 'computed', from, expression: entry.value }
      : { state: 'literal', value: entry.value, from };
  };
  const property = (name: string): Value => {
    const value = placed(base.property(name));
    if (value.state === 'literal' || value.state === 'computed') return value;
    return inFile(name) ?? (file?.exact === true && rest.length === 0 ? { state: 'absent' } : value);
  };
  return {
    ...base,
    property,
    variable: (name) => placed(base.variable(name)),
    properties: [...new Set([...base.properties, ...(file?.properties.map((p) => p.key) ?? [])])],
  };
}
