import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { images } from '../versions.ts';
import { buildModule } from './go.ts';
import { layoutIn, packImage } from './image.ts';

/** The image of the process that holds each pod's namespaces. Returns the folder of its layout. */
export async function pauseImage(): Promise<string> {
  return artefact({
    name: 'pause',
    inputs: [await hashOf(checkout, [ownFile('pause')])],
    build: async (folder) => {
      const root = join(folder, 'root');
      await mkdir(root);
      await buildModule('pause', { output: join(root, 'pause') });
      await packImage({
        layout: layoutIn(folder),
        tag: images.pause.slice(images.pause.lastIndexOf(':') + 1),
        root,
        config: ['--config.entrypoint=/pause'],
      });
      await rm(root, { recursive: true });
    },
  });
}
