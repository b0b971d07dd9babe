import { isObject, type Json, type JsonObject } from './tree.ts';

/**
 * The API server's own defaults for a StatefulSet (pkg/apis/apps/v1 and core/v1 `defaults.go`, 1.30–1.36), by place.
 * A webhook sees an object after defaulting, a laptop before: a value equal to its default counts as unset in both.
 */

const fieldRef = (holder: JsonObject) => {
  const ref = holder['fieldRef'];
  if (isObject(ref)) dropWhere(ref, 'apiVersion', 'v1');
};

function dropWhere(object: JsonObject, key: string, ...values: Json[]): void {
  const value = object[key];
  if (values.some((v) => JSON.stringify(v) === JSON.stringify(value))) delete object[key];
}

const each = (value: Json | undefined, visit: (element: JsonObject) => void) => {
  if (Array.isArray(value)) for (const element of value) if (isObject(element)) visit(element);
};
const within = (value: Json | undefined, visit: (object: JsonObject) => void) => {
  if (isObject(value)) visit(value);
};

function probe(holder: JsonObject, name: string): void {
  within(holder[name], (p) => {
    dropWhere(p, 'timeoutSeconds', 1);
    dropWhere(p, 'periodSeconds', 10);
    dropWhere(p, 'successThreshold', 1);
    dropWhere(p, 'failureThreshold', 3);
    within(p['httpGet'], (h) => {
      dropWhere(h, 'path', '/');
      dropWhere(h, 'scheme', 'HTTP');
    });
    within(p['grpc'], (g) => dropWhere(g, 'service', ''));
  });
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
  dropWhere(c, 'resources', {});
  for (const list of ['command', 'args', 'env', 'envFrom', 'ports', 'volumeMounts', 'volumeDevices'])
    dropWhere(c, list, []);
  each(c['ports'], (p) => dropWhere(p, 'protocol', 'TCP'));
  each(c['env'], (e) => {
    dropWhere(e, 'value', '');
    within(e['valueFrom'], fieldRef);
  });
  for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) probe(c, name);
}

function volume(v: JsonObject): void {
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected'])
    within(v[source], (s) => {
      dropWhere(s, 'defaultMode', 420);
      each(s['items'], fieldRef);
    });
  within(v['hostPath'], (h) => dropWhere(h, 'type', ''));
}

function podSpec(spec: JsonObject): void {
  dropWhere(spec, 'restartPolicy', 'Always');
  dropWhere(spec, 'dnsPolicy', 'ClusterFirst');
  dropWhere(spec, 'terminationGracePeriodSeconds', 30);
  dropWhere(spec, 'schedulerName', 'default-scheduler');
  dropWhere(spec, 'securityContext', {});
  dropWhere(spec, 'enableServiceLinks', true);
  for (const list of [
    'initContainers',
    'volumes',
    'tolerations',
    'topologySpreadConstraints',
    'imagePullSecrets',
    'hostAliases',
  ])
    dropWhere(spec, list, []);
  for (const map of ['nodeSelector', 'affinity']) dropWhere(spec, map, {});
  if (spec['serviceAccount'] === spec['serviceAccountName']) delete spec['serviceAccount'];
  for (const list of ['containers', 'initContainers']) each(spec[list], container);
  each(spec['volumes'], volume);
}

function metadata(holder: JsonObject): void {
  within(holder['metadata'], (m) => {
    dropWhere(m, 'creationTimestamp', null);
    dropWhere(m, 'labels', {});
    dropWhere(m, 'annotations', {});
  });
}

function dropNulls(value: Json): void {
  if (Array.isArray(value)) value.forEach(dropNulls);
  else if (isObject(value))
    for (const [key, inner] of Object.entries(value)) {
      if (inner === null || inner === undefined) delete value[key];
      else dropNulls(inner);
    }
}

/** Removes, in place, every value of a StatefulSet that equals the API's default. */
export function removeDefaults(set: JsonObject): void {
  within(set['spec'], (spec) => {
    dropNulls(spec);
    dropWhere(spec, 'podManagementPolicy', 'OrderedReady');
    dropWhere(spec, 'revisionHistoryLimit', 10);
    within(spec['updateStrategy'], (s) => {
      within(s['rollingUpdate'], (r) => dropWhere(r, 'partition', 0));
      dropWhere(s, 'rollingUpdate', {});
      if (s['rollingUpdate'] === undefined) dropWhere(s, 'type', 'RollingUpdate');
    });
    dropWhere(spec, 'updateStrategy', {}, { type: 'RollingUpdate' });
    within(spec['persistentVolumeClaimRetentionPolicy'], (p) => {
      dropWhere(p, 'whenDeleted', 'Retain');
      dropWhere(p, 'whenScaled', 'Retain');
    });
    dropWhere(spec, 'persistentVolumeClaimRetentionPolicy', {});
    within(spec['template'], (template) => {
      metadata(template);
      within(template['spec'], podSpec);
    });
    each(spec['volumeClaimTemplates'], (claim) => {
      metadata(claim);
      delete claim['status'];
      dropWhere(claim, 'apiVersion', 'v1');
      dropWhere(claim, 'kind', 'PersistentVolumeClaim');
      within(claim['spec'], (s) => dropWhere(s, 'volumeMode', 'Filesystem'));
    });
  });
  metadata(set);
}
