import type { StatefulSet } from '../model.ts';
import { clone, isObject, type Json, type JsonObject } from '../tree.ts';

/**
 * The API server's defaulting of a StatefulSet, written from pkg/apis/apps/v1/defaults.go and pkg/apis/core/v1/defaults.go (1.34)
 * and from what the encoder always prints (`resources: {}`, `creationTimestamp: null`). It adds where the core removes, so that
 * each checks the other.
 */
export function applyApiDefaults(set: StatefulSet): StatefulSet {
  const object = clone(set) as unknown as JsonObject;
  const spec = own(object, 'spec');
  withDefaults(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 });
  const strategy = own(spec, 'updateStrategy');
  withDefaults(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') withDefaults(own(strategy, 'rollingUpdate'), { partition: 0 });
  withDefaults(own(spec, 'persistentVolumeClaimRetentionPolicy'), {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  const template = own(spec, 'template');
  withDefaults(own(template, 'metadata'), { creationTimestamp: null });
  podSpec(own(template, 'spec'));
  for (const claim of objects(spec['volumeClaimTemplates'])) {
    withDefaults(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } });
    withDefaults(own(claim, 'metadata'), { creationTimestamp: null });
    withDefaults(own(claim, 'spec'), { volumeMode: 'Filesystem', resources: {} });
  }
  return object;
}

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter((e) => isObject(e)) : [];

/** The object below a key, made where it is missing or null. */
function own(holder: JsonObject, key: string): JsonObject {
  const value = holder[key];
  if (isObject(value)) return value;
  const made: JsonObject = {};
  holder[key] = made;
  return made;
}

function withDefaults(holder: JsonObject, defaults: JsonObject): void {
  for (const [key, value] of Object.entries(defaults))
    if (holder[key] === undefined || holder[key] === null || holder[key] === '') holder[key] = clone(value);
}

function podSpec(pod: JsonObject): void {
  withDefaults(pod, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
  });
  if (typeof pod['serviceAccountName'] === 'string') pod['serviceAccount'] = pod['serviceAccountName'];
  for (const list of ['containers', 'initContainers']) objects(pod[list]).forEach(container);
  objects(pod['volumes']).forEach(volume);
  for (const [key, value] of Object.entries(pod))
    if (value === null || (Array.isArray(value) && value.length === 0)) delete pod[key];
}

function container(c: JsonObject): void {
  const image = typeof c['image'] === 'string' ? c['image'] : '';
  const floating = !image.includes('@') && (/:latest$/.test(image) || !/:[^/]+$/.test(image));
  withDefaults(c, {
    imagePullPolicy: floating ? 'Always' : 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  });
  for (const port of objects(c['ports'])) withDefaults(port, { protocol: 'TCP' });
  for (const entry of objects(c['env'])) {
    if (entry['value'] === '') delete entry['value'];
    fieldRef(entry['valueFrom']);
  }
  for (const kind of ['readinessProbe', 'livenessProbe', 'startupProbe']) probe(c[kind]);
  const lifecycle = c['lifecycle'];
  if (isObject(lifecycle))
    for (const hook of [lifecycle['preStop'], lifecycle['postStart']]) if (isObject(hook)) httpGet(hook);
  for (const [key, value] of Object.entries(c)) if (Array.isArray(value) && value.length === 0) delete c[key];
}

function fieldRef(holder: Json | undefined): void {
  if (isObject(holder) && isObject(holder['fieldRef']))
    withDefaults(holder['fieldRef'], { apiVersion: 'v1' });
}

function httpGet(holder: JsonObject): void {
  if (isObject(holder['httpGet'])) withDefaults(holder['httpGet'], { path: '/', scheme: 'HTTP' });
}

function probe(value: Json | undefined): void {
  if (!isObject(value)) return;
  withDefaults(value, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  httpGet(value);
}

function volume(v: JsonObject): void {
  if (Object.keys(v).every((key) => key === 'name' || v[key] === null)) v['emptyDir'] = {};
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const holder = v[source];
    if (!isObject(holder)) continue;
    withDefaults(holder, { defaultMode: 420 });
    objects(holder['items']).forEach(fieldRef);
    for (const inner of objects(holder['sources'])) {
      const token = inner['serviceAccountToken'];
      if (isObject(token)) withDefaults(token, { expirationSeconds: 3600 });
      const api = inner['downwardAPI'];
      if (isObject(api)) objects(api['items']).forEach(fieldRef);
    }
  }
  if (isObject(v['hostPath'])) withDefaults(v['hostPath'], { type: '' });
  const ephemeral = v['ephemeral'];
  if (isObject(ephemeral) && isObject(ephemeral['volumeClaimTemplate'])) {
    const claim = ephemeral['volumeClaimTemplate'];
    withDefaults(own(claim, 'metadata'), { creationTimestamp: null });
    withDefaults(own(claim, 'spec'), { volumeMode: 'Filesystem', resources: {} });
  }
}
