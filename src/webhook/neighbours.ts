import { layoutOf } from '../hardening/index.ts';
import type { Context, Service, StatefulSet } from '../hardening/model.ts';
import type { Kube } from '../kubernetes/client.ts';
import type { Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { keys } from '../names.ts';
import { inTime } from '../in-time.ts';
import { mayRunKafka } from './trimmed.ts';

/** What the core is told of the objects beside a new set. */
export type Neighbourhood = Pick<Context, 'services' | 'siblings'>;

/**
 * What stands in a namespace at the moment at which something new comes into it. It is read from the API server: manifests are
 * applied milliseconds after one another, and a watch may not have told of the one before. What cannot be read in time is
 * not known, and nothing is held up for it.
 */
export interface Neighbours {
  /** Around a set that is being created: the Service named in it and other hardened sets. */
  around(set: StatefulSet, namespace: string): Promise<Neighbourhood>;
  /** The hardened sets of a namespace; undefined where they could not be read. */
  hardenedSets(namespace: string): Promise<StatefulSet[] | undefined>;
}

/** Where there is no API server to ask. */
export const noNeighbours: Neighbours = {
  around: () => Promise.resolve({}),
  hardenedSets: () => Promise.resolve(undefined),
};

/** Of the few seconds that a review may take. */
const patienceMs = 1_000;

/** All that is asked of a Service, so that outcomes are remembered by it. */
const outlineOf = ({ metadata, spec }: Service): Service => ({
  metadata: { ...(metadata?.name === undefined ? {} : { name: metadata.name }) },
  spec: {
    ...(spec?.type === undefined ? {} : { type: spec.type }),
    ...(spec?.clusterIP === undefined ? {} : { clusterIP: spec.clusterIP }),
  },
});

/** All that is asked of another set: which node ids it has. */
function membershipOf({ metadata, spec }: StatefulSet): StatefulSet {
  const { name = '', annotations = {} } = metadata ?? {};
  const { replicas, ordinals } = spec ?? {};
  const membership = {
    metadata: { name, annotations: { [keys.layout]: annotations[keys.layout] ?? '' } },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      ...(ordinals === undefined ? {} : { ordinals }),
    },
  };
  return membership as unknown as StatefulSet;
}

/** The neighbours as the API server knows them. */
export function neighboursOver(kube: Pick<Kube, 'tryGet' | 'list'>, log: Log): Neighbours {
  async function known<T>(what: string, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await inTime(reading, patienceMs);
    } catch (error) {
      log.warn({ what, err: error }, 'what stands beside a new object could not be read');
      return undefined;
    }
  }

  async function governing(set: StatefulSet, namespace: string): Promise<readonly Service[] | undefined> {
    const name = set.spec?.serviceName;
    if (typeof name !== 'string' || name === '') return undefined;
    const path = paths.services(namespace, name);
    const found = kube.tryGet<Service>(path).then((service) => (service ? [outlineOf(service)] : []));
    return known(path, found);
  }

  async function hardenedSets(namespace: string): Promise<StatefulSet[] | undefined> {
    const path = paths.statefulsets(namespace);
    const listed = kube.list<StatefulSet>(path).then((sets) => sets.filter((set) => layoutOf(set)));
    return known(path, listed);
  }

  return {
    around: async (set, namespace) => {
      if (!mayRunKafka(set)) return {};
      const [services, siblings] = await Promise.all([governing(set, namespace), hardenedSets(namespace)]);
      return { services, siblings: siblings?.map(membershipOf) };
    },
    hardenedSets,
  };
}
