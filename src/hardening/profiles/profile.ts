import type { ImageReference } from '../image.ts';

/** A Kafka version as `[major, minor]`. */
export type KafkaVersion = readonly [number, number];

/** How an image turns what it is given into Kafka's configuration: the launcher does it the same way. */
export type Dialect = 'apache' | 'confluent' | 'bitnami' | 'plain';

/** A pinned version, and the generation of rules and launcher that it stands for. A published one never changes. */
export interface ProfileVersion {
  version: number;
  generation: number;
}

/** What is particular to a family of images. */
export interface Profile {
  /** First half of a pin. */
  family: string;
  versions: readonly [ProfileVersion, ...ProfileVersion[]];
  dialect: Dialect;
  /** What a container starts that has neither command nor args; empty where the manifest always says it. */
  start: readonly string[];
  /** Where the launcher and `start` are written: `args` keeps the image's ENTRYPOINT before them. */
  startField: 'command' | 'args';
  /** Programs of the image that configure and start Kafka, by path. */
  entrypoints: readonly string[];
  /** Environment variables that give a property, the strongest first; none where the image does not read its environment. */
  variablesOf(property: string): readonly string[];
  /** The property that a variable gives, if it is one. */
  propertyOf(variable: string): string | undefined;
  /** Variables that give the cluster id. */
  clusterIdVariables: readonly [string, ...string[]];
  /** Directories where the image looks for a `server.properties` to start from. */
  mountedDirectories: readonly string[];
  /** Files and directories that the image writes at start: they must stay writable. */
  finalFiles: readonly string[];
  /** The image's user and group; undefined where that is not known. */
  user?: number;
  group?: number;
  stores: 'p12' | 'pem';
  /** Name of the controllers' listener. */
  controllerListener: 'CONTROLLER' | 'QUORUM';
  /** Whether some version of the image can run in ZooKeeper mode. */
  zookeeper: boolean;
  /** Kafka's version from the image's tag. */
  kafkaOf(image: ImageReference): KafkaVersion | undefined;
}

const variableNames = new Map<string, string>();

/** `listener.name.client.scram-sha-512.x` → `LISTENER_NAME_CLIENT_SCRAM___SHA___512_X`: the rule that three engines share. */
function suffixOf(property: string): string {
  let name = variableNames.get(property);
  if (name === undefined) {
    name = property.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase();
    variableNames.set(property, name);
  }
  return name;
}

/** The variable of the apache and Confluent images: `KAFKA_LISTENERS` for `listeners`. */
export const variableOf = (property: string): string => `KAFKA_${suffixOf(property)}`;

/** The property that a variable of the apache and Confluent images gives. */
export function propertyOf(variable: string): string | undefined {
  if (!variable.startsWith('KAFKA_')) return undefined;
  return variable
    .slice('KAFKA_'.length)
    .toLowerCase()
    .replace(/_+/g, (run) => ({ 1: '.', 2: '_', 3: '-' })[run.length] ?? run);
}

export const isAtLeast = (version: KafkaVersion, least: KafkaVersion): boolean =>
  version[0] > least[0] || (version[0] === least[0] && version[1] >= least[1]);
