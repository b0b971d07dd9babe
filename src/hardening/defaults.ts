import { isObject, type Json, type JsonObject } from './tree.ts';

/**
 * The API server's own defaults for a StatefulSet (pkg/apis/apps/v1 and core/v1 `defaults.go`, 1.30–1.36), by place.
 * A webhook sees an object after defaulting, a laptop before: a value equal to its default counts as unset in both.
 * `enableServiceLinks` is not among them: the server defaults it in pods, not in templates.
 */

type Primitive = string | number | boolean;

function dropWhere(object: JsonObject, key: string, value: Primitive): void {
  if (object[key] === value) delete object[key];
}

/** Removes a list or an object that is there but empty. */
function dropEmpty(object: JsonObject, ...keys: string[]): void {
  for (const key of keys) {
    const value = object[key];
    if (typeof value === 'object' && value !== null && isEmpty(value)) delete object[key];
  }
}

function isEmpty(value: Json[] | JsonObject): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

const each = (value: Json | undefined, visit: (element: JsonObject) => void) => {
  if (Array.isArray(value)) for (const element of value) if (isObject(element)) visit(element);
};
const within = (value: Json | undefined, visit: (object: JsonObject) => void) => {
  if (isObject(value)) visit(value);
};

const fieldRef = (holder: JsonObject) =>
  within(holder['fieldRef'], (ref) => dropWhere(ref, 'apiVersion', 'v1'));

const httpGet = (holder: JsonObject) =>
  within(holder['httpGet'], (h) => {
    dropWhere(h, 'path', '/');
    dropWhere(h, 'scheme', 'HTTP');
  });

function probe(p: JsonObject): void {
  dropWhere(p, 'timeoutSeconds', 1);
  dropWhere(p, 'periodSeconds', 10);
  dropWhere(p, 'successThreshold', 1);
  dropWhere(p, 'failureThreshold', 3);
  httpGet(p);
  within(p['grpc'], (g) => dropWhere(g, 'service', ''));
}

/** `Always` for `:latest` and for no tag, else `IfNotPresent`. */
function defaultPullPolicy(image: Json | undefined): string {
  if (typeof image !== 'string' || image.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function container(c: JsonObject): void {
  dropWhere(c, 'imagePullPolicy', defaultPullPolicy(c['image']));
  dropWhere(c, 'terminationMessagePath', '/dev/termination-log');
  dropWhere(c, 'terminationMessagePolicy', 'File');
  dropEmpty(c, 'resources', 'command', 'args', 'env', 'envFrom', 'ports', 'volumeMounts', 'volumeDevices');
  each(c['ports'], (p) => dropWhere(p, 'protocol', 'TCP'));
  each(c['env'], (e) => {
    dropWhere(e, 'value', '');
    within(e['valueFrom'], fieldRef);
  });
  for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) within(c[name], probe);
  within(c['lifecycle'], (l) => {
    within(l['preStop'], httpGet);
    within(l['postStart'], httpGet);
  });
}

function claim(c: JsonObject): void {
  metadata(c);
  delete c['status'];
  dropWhere(c, 'apiVersion', 'v1');
  dropWhere(c, 'kind', 'PersistentVolumeClaim');
  within(c['spec'], (s) => {
    dropWhere(s, 'volumeMode', 'Filesystem');
    dropEmpty(s, 'resources');
  });
}

function volume(v: JsonObject): void {
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected'])
    within(v[source], (s) => {
      dropWhere(s, 'defaultMode', 420);
      each(s['items'], fieldRef);
      each(s['sources'], (inner) => {
        within(inner['serviceAccountToken'], (t) => dropWhere(t, 'expirationSeconds', 3600));
        within(inner['downwardAPI'], (d) => each(d['items'], fieldRef));
      });
    });
  within(v['hostPath'], (h) => dropWhere(h, 'type', ''));
  within(v['ephemeral'], (e) => within(e['volumeClaimTemplate'], claim));
  // A volume that names no source is an emptyDir (SetDefaults_Volume).
  if (Object.keys(v).length === 1 && v['name'] !== undefined) v['emptyDir'] = {};
}

function podSpec(spec: JsonObject): void {
  dropWhere(spec, 'restartPolicy', 'Always');
  dropWhere(spec, 'dnsPolicy', 'ClusterFirst');
  dropWhere(spec, 'terminationGracePeriodSeconds', 30);
  dropWhere(spec, 'schedulerName', 'default-scheduler');
  dropEmpty(spec, 'securityContext', 'nodeSelector', 'initContainers', 'volumes', 'tolerations');
  dropEmpty(spec, 'topologySpreadConstraints', 'imagePullSecrets', 'hostAliases');
  if (spec['serviceAccount'] === spec['serviceAccountName']) delete spec['serviceAccount'];
  for (const list of ['containers', 'initContainers']) each(spec[list], container);
  each(spec['volumes'], volume);
}

function metadata(holder: JsonObject): void {
  within(holder['metadata'], (m) => dropEmpty(m, 'labels', 'annotations'));
  dropEmpty(holder, 'metadata');
}

function statefulSetSpec(spec: JsonObject): void {
  dropWhere(spec, 'podManagementPolicy', 'OrderedReady');
  dropWhere(spec, 'revisionHistoryLimit', 10);
  within(spec['updateStrategy'], (s) => {
    within(s['rollingUpdate'], (r) => dropWhere(r, 'partition', 0));
    dropEmpty(s, 'rollingUpdate');
    if (s['rollingUpdate'] === undefined) dropWhere(s, 'type', 'RollingUpdate');
  });
  within(spec['persistentVolumeClaimRetentionPolicy'], (p) => {
    dropWhere(p, 'whenDeleted', 'Retain');
    dropWhere(p, 'whenScaled', 'Retain');
  });
  dropEmpty(spec, 'updateStrategy', 'persistentVolumeClaimRetentionPolicy', 'volumeClaimTemplates');
  within(spec['template'], (template) => {
    metadata(template);
    within(template['spec'], podSpec);
  });
  each(spec['volumeClaimTemplates'], claim);
}

/** A deep copy without the nulls, which the server reads as "not there". */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const inner = value[key];
    if (inner !== null && inner !== undefined) copy[key] = withoutNulls(inner);
  }
  return copy as T;
}

/** A copy of a StatefulSet without its status, its nulls, and every value that equals the API's default. */
export function withoutDefaults(set: JsonObject): JsonObject {
  const { status: _status, ...rest } = set;
  const copy = withoutNulls(rest);
  removeDefaults(copy);
  return copy;
}

/** Removes, in place, every value of a StatefulSet that equals the API's default. */
function removeDefaults(set: JsonObject): void {
  within(set['spec'], statefulSetSpec);
  within(set['metadata'], (m) => dropEmpty(m, 'labels', 'annotations'));
}
