import { kafka, type Parts } from '../../hardening/test/manifest.ts';
import type { JsonObject } from '../../hardening/tree.ts';
import { lint, type LintFinding, type Subject } from '../index.ts';
import { nameOf } from '../subject.ts';

/** A StatefulSet of three brokers, with parts of it as a test says. */
export const set = (parts: Parts = {}): JsonObject => kafka(parts) as unknown as JsonObject;

/** An object of any kind. */
export const object = (apiVersion: string, kind: string, name: string, rest: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

/** A Service over the pods of `set()`. */
export const service = (name: string, spec: JsonObject = {}): JsonObject =>
  object('v1', 'Service', name, {
    spec: { selector: { app: 'kafka' }, ports: [{ port: 9092 }], ...spec },
  });

export const headless = (name = 'kafka', spec: JsonObject = {}): JsonObject =>
  service(name, { clusterIP: 'None', publishNotReadyAddresses: true, ...spec });

export const configMap = (name: string, data: Record<string, string>): JsonObject =>
  object('v1', 'ConfigMap', name, { data });

export const budget = (name: string, spec: JsonObject): JsonObject =>
  object('policy/v1', 'PodDisruptionBudget', name, {
    spec: { selector: { matchLabels: { app: 'kafka' } }, ...spec },
  });

/** Findings over objects of one namespace. */
export const findingsOf = (...values: JsonObject[]): LintFinding<Subject>[] =>
  lint(values.map((value) => ({ value, namespace: 'shop' }))).findings;

/** What one rule says, as `NAME PATH: MESSAGE`. */
export const said = (rule: string, ...values: JsonObject[]): string[] =>
  findingsOf(...values)
    .filter((f) => f.rule === rule)
    .map((f) => `${nameOf(f.subject)} ${f.path}: ${f.message}`);

/** A set that is left alone: its image has no profile. */
export const leftAlone = (parts: Parts = {}): JsonObject => set({ image: 'debezium/kafka:2.7', ...parts });
