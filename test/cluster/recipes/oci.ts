import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';

/** What a container of an image starts with; the keys are OCI's own. */
export interface Start {
  User?: string;
  Env?: readonly string[];
  Entrypoint?: readonly string[];
  Cmd?: readonly string[];
  WorkingDir?: string;
  Volumes?: Record<string, object>;
  ExposedPorts?: Record<string, object>;
}

/** An image that is another one and a layer more. */
export interface Derived {
  /** Full names, with tags. */
  names: readonly string[];
  /** Folder of the layer's files; `.wh.NAME` removes NAME of the layers below. */
  root: string;
  /** All of it: nothing is inherited. */
  start: Start;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}
interface Manifest {
  schemaVersion: 2;
  config: Descriptor;
  layers: Descriptor[];
}
interface Config {
  architecture: string;
  os: string;
  config: Start;
  rootfs: { type: 'layers'; diff_ids: string[] };
}

const layerType = 'application/vnd.oci.image.layer.v1.tar';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/**
 * Writes a layout with images over the only image of another layout. It has the added layers alone: whoever imports it has
 * imported the base before.
 */
export async function deriveImages(layout: string, base: string, images: readonly Derived[]): Promise<void> {
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const [below] = (await readJson<{ manifests: Descriptor[] }>(join(base, 'index.json'))).manifests;
  if (below === undefined) throw new Error(`The layout ${base} has no image.`);
  const manifest = await readJson<Manifest>(blobOf(base, below.digest));
  const config = await readJson<Config>(blobOf(base, manifest.config.digest));
  const manifests: Descriptor[] = [];
  for (const image of images) {
    const layer = await putLayer(layout, image.root);
    const derivedConfig = await putJson(layout, manifest.config.mediaType, {
      architecture: config.architecture,
      os: config.os,
      config: image.start,
      rootfs: { type: 'layers', diff_ids: [...config.rootfs.diff_ids, layer.digest] },
    } satisfies Config);
    const derived = await putJson(layout, manifestType, {
      schemaVersion: 2,
      config: derivedConfig,
      layers: [...manifest.layers, layer],
    } satisfies Manifest);
    for (const name of image.names)
      manifests.push({ ...derived, annotations: { 'io.containerd.image.name': name } });
  }
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

async function putLayer(layout: string, root: string): Promise<Descriptor> {
  const unfinished = join(layout, 'layer');
  await run('tar', [
    ...['-C', root, '--sort=name', '--mtime=@1700000000', '--numeric-owner', '--no-xattrs'],
    ...['-cf', unfinished, '.'],
  ]);
  const content = await readFile(unfinished);
  const digest = digestOf(content);
  await rename(unfinished, blobOf(layout, digest));
  return { mediaType: layerType, digest, size: content.length };
}

async function putJson(layout: string, mediaType: string, value: object): Promise<Descriptor> {
  const content = Buffer.from(JSON.stringify(value));
  const digest = digestOf(content);
  await writeFile(blobOf(layout, digest), content);
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function blobOf(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}
