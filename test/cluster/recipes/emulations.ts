import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run } from '../command.ts';
import type { KafkaLine } from '../versions.ts';
import { emulations } from './entry-points.ts';
import type { Emulation } from './entry-points.ts';
import { archiveIn, archiveLayout, layoutIn } from './image.ts';
import { deriveImages } from './oci.ts';
import type { Derived } from './oci.ts';

const source = join(checkout, ownFile('images'));
const apache = join(checkout, ownFile('kafka-image'));

/**
 * Images with the entry points of others, each a small layer over apache/kafka of a line; see `images/README.md`. Returns an
 * archive that has these layers alone, to be imported after that image.
 */
export async function emulatedImages(line: KafkaLine, kafka: string): Promise<string> {
  const sources = [
    'images',
    'kafka-image',
    'recipes/emulations.ts',
    'recipes/entry-points.ts',
    'recipes/oci.ts',
    'versions.ts',
  ];
  const folder = await artefact({
    name: `emulations-${line}`,
    inputs: [
      kafka,
      await hashOf(
        checkout,
        sources.map((it) => ownFile(it)),
      ),
    ],
    build: async (folder) => {
      const images: Derived[] = [];
      for (const [index, emulation] of emulations[line]().entries()) {
        const root = join(folder, `root-${index}`);
        await layOut(root, emulation, line);
        images.push({ names: emulation.names, root, start: emulation.start });
      }
      await deriveImages(layoutIn(folder), layoutIn(kafka), images);
      await archiveLayout(layoutIn(folder), archiveIn(folder));
      for (const it of [layoutIn(folder), ...images.map(({ root }) => root)])
        await rm(it, { recursive: true });
    },
  });
  return archiveIn(folder);
}

async function layOut(root: string, emulation: Emulation, line: KafkaLine): Promise<void> {
  await mkdir(root);
  for (const it of emulation.folders ?? []) await mkdir(join(root, it), { recursive: true });
  for (const [to, from] of Object.entries(emulation.files)) await copy(root, to, from);
  for (const [to, text] of Object.entries(emulation.texts ?? {})) await put(root, to, text);
  for (const [to, target] of Object.entries(emulation.links ?? {})) await link(root, to, target);
  if (emulation.programs !== undefined) await putPrograms(root, emulation.programs, line);
  for (const it of emulation.hidden) await hide(root, it);
  // A layer's folder says whose the folder is, also of one that lies below already.
  await run('chown', ['-R', '0:0', root]);
  const { by, paths } = emulation.owned;
  const owned = paths.map((it) => join(root, it));
  await run('chown', ['-R', '-h', by, ...owned]);
  await run('chmod', ['-R', 'u+rwX,g+rwX,o+rX', ...owned]);
}

/** Removes what the layers below have at a path; what this layer has there stays. */
async function hide(root: string, it: string): Promise<void> {
  const stays = existsSync(join(root, it));
  await put(root, stays ? join(it, '.wh..wh..opq') : join(dirname(it), `.wh.${basename(it)}`), '');
}

/** Appends to a file, which is made where it is missing. */
async function put(root: string, to: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await writeFile(join(root, to), text, { flag: 'a' });
}

async function copy(root: string, to: string, from: string): Promise<void> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  const file = from.startsWith('apache:') ? join(apache, from.slice('apache:'.length)) : join(source, from);
  await cp(file, join(root, to));
}

async function link(root: string, to: string, target: string): Promise<void> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await symlink(target, join(root, to));
}

async function putPrograms(
  root: string,
  { folder, suffix }: { folder: string; suffix: string },
  line: KafkaLine,
): Promise<void> {
  const list = await readFile(join(apache, line, 'tools.list'), 'utf8');
  await put(root, 'opt/kafka/tools.list', list);
  await copy(root, `${folder}/kafka-tool${suffix}`, 'programs/kafka-tool');
  for (const name of ['kafka-run-class', 'kafka-server-start'])
    await copy(root, `${folder}/${name}${suffix}`, `programs/${name}`);
  if (line === '3.9')
    await copy(root, `${folder}/zookeeper-server-start${suffix}`, 'programs/kafka-server-start');
  for (const entry of list.trim().split('\n'))
    await link(root, `${folder}/${entry.split(' ')[0]}${suffix}`, `kafka-tool${suffix}`);
}
