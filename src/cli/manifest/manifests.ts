import { isObject, type Json } from '../../hardening/tree.ts';
import { documentsOf, type ManifestDocument } from './document.ts';
import { readSources, type ReadOptions } from './read.ts';

/** What `-f` names, read. */
export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  /** Files of directories that hold no Kubernetes objects, and are left out. */
  readonly foreign: readonly string[];
}

/** Values of a chart, a Compose file, a workflow: without kind and version; kustomize's file has its own. */
const isForeign = (value: Json): boolean => {
  if (!isObject(value)) return value !== null;
  const { apiVersion, kind } = value;
  if (typeof apiVersion === 'string' && apiVersion.startsWith('kustomize.config.k8s.io/')) return true;
  return apiVersion === undefined && kind === undefined;
};

/**
 * Reads manifests. A file that was named must hold objects; one that was only found in a directory is left out where none of its
 * documents is one. Throws `CliError` for what cannot be read.
 */
export const readManifests = (names: readonly string[], options: ReadOptions = {}): Manifests => {
  const files = readSources(names, options).map((source) => {
    const documents = documentsOf(source);
    const given = documents.filter(({ value }) => value !== null);
    const isLeftOut = source.isFound === true && given.length > 0 && given.every((d) => isForeign(d.value));
    return { name: source.name, documents, isLeftOut };
  });
  return {
    documents: files.flatMap(({ documents, isLeftOut }) => (isLeftOut ? [] : documents)),
    foreign: files.filter(({ isLeftOut }) => isLeftOut).map(({ name }) => name),
  };
};

/** A line for those who wonder where a file is; empty where none was left out. */
export const foreignText = (foreign: readonly string[]): string =>
  foreign.length === 0 ? '' : `Left out, because they are no Kubernetes objects: ${foreign.join(', ')}\n`;
