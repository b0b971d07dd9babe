import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readSchema } from '../../src/cli/manifest/schema.ts';
import type { Decision, StatefulSet } from '../../src/hardening/index.ts';

/** An object of a manifest, as kubectl reads it. */
export interface ManifestObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** One way in which people write Kafka manifests: a file of `manifests/` with what its first lines say of it. */
export interface Shape {
  name: string;
  /** One sentence. */
  shape: string;
  /** What is known of how common it is: the row of the survey, or `beyond`. */
  row: string;
  /** What is expected of its sets, unless `outcomes` has an expectation for the set of that name. */
  outcome: Decision;
  outcomes: ReadonlyMap<string, Decision>;
  /** Whether it is run on the real cluster; else why not. */
  runs: boolean;
  notRun?: string;
  /** Whether the tests' images of its broker are the published program, an emulation of its entrypoint, or none. */
  image: string;
  objects: readonly ManifestObject[];
  /** What could run a broker: StatefulSets, and Deployments. */
  sets: readonly StatefulSet[];
}

/** The namespace that the manifests are written for: it stands in the full names of pods. */
export const namespace = 'demo';

const folder = join(import.meta.dirname, 'manifests');
const header = /^# ([a-z]+)(?: (\S+))?: (.+)$/;

function headersOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = header.exec(line);
    if (!match) break;
    const [, key = '', set, value = ''] = match;
    found.set(set === undefined ? key : `${key} ${set}`, value.trim());
  }
  return found;
}

/** The objects of a document: those of a List, else the document itself. */
const objectsIn = (document: ManifestObject & { items?: ManifestObject[] }): ManifestObject[] =>
  document.kind === 'List' ? (document.items ?? []) : [document];

/** Reads one shape. Throws where a header is missing. */
export function readShape(name: string): Shape {
  const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
  const headers = headersOf(text);
  const said = (key: string): string => {
    const value = headers.get(key);
    if (value === undefined) throw new Error(`${name}.yaml does not say "# ${key}: …"`);
    return value;
  };
  const objects = parseAllDocuments(text, { schema: readSchema }).flatMap((d) =>
    objectsIn(d.toJS() as ManifestObject),
  );
  const prefix = 'outcome ';
  const outcomes = [...headers].filter(([key]) => key.startsWith(prefix));
  const notRun = /^no \((.+)\)$/.exec(said('run'))?.[1];
  return {
    name,
    shape: said('shape'),
    row: said('row'),
    outcome: said('outcome') as Decision,
    outcomes: new Map(outcomes.map(([key, value]) => [key.slice(prefix.length), value as Decision])),
    runs: said('run') === 'yes',
    ...(notRun === undefined ? {} : { notRun }),
    image: said('image'),
    objects,
    sets: objects.filter((o) => ['StatefulSet', 'Deployment'].includes(o.kind)),
  };
}

/** The names of all shapes, in order. */
export const shapeNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();

/** What the headers expect of a set. */
export const expectedOf = (shape: Shape, set: StatefulSet): Decision =>
  shape.outcomes.get(set.metadata?.name ?? '') ?? shape.outcome;
