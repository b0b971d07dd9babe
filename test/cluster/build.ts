import { programs } from './recipes/go.ts';
import type { Programs } from './recipes/go.ts';
import { emulatedImages } from './recipes/emulations.ts';
import { imageStore } from './recipes/image-store.ts';
import { javaRoot, kafkaImage } from './recipes/kafka.ts';
import { installPackages } from './recipes/packages.ts';
import { pauseImage } from './recipes/pause.ts';
import { wardenImage } from './recipes/warden.ts';
import { images } from './versions.ts';

/** All that a cluster is started from. */
export interface Artefacts extends Programs {
  /** A containerd root with all images but kafka-warden's own. */
  imageStore: string;
  /** Archives of the images that stand for others, which are in the store too. */
  emulationArchives: string[];
  /** Archives of the image of kafka-warden, to be imported in this order. */
  wardenArchives: string[];
}

/** Builds what is not in the cache yet. The Go programs and the images are two queues, for machines with two cores. */
export async function build(): Promise<Artefacts> {
  await installPackages();
  const [built, packed] = await Promise.all([programs(), buildImages()]);
  return { ...built, ...packed };
}

async function buildImages() {
  await javaRoot();
  const kafka41 = await kafkaImage('4.1');
  const kafka39 = await kafkaImage('3.9');
  const emulationArchives = [await emulatedImages('3.9', kafka39), await emulatedImages('4.1', kafka41)];
  const warden = await wardenImage();
  const store = await imageStore(
    [
      { folder: await pauseImage(), name: images.pause },
      { folder: kafka41, name: images.kafka41 },
      { folder: kafka39, name: images.kafka39 },
      { folder: warden.dependencies, name: 'localhost/kafka-warden:dependencies' },
    ],
    emulationArchives,
  );
  return { imageStore: store, emulationArchives, wardenArchives: warden.archives };
}

/** Archives of the images that a running cluster can be given anew, from the checkout's present files. */
export type Loadable = Pick<Artefacts, 'emulationArchives' | 'wardenArchives'>;

/** Builds what a running cluster can be given anew. */
export async function buildLoadable(): Promise<Loadable> {
  const emulationArchives: string[] = [];
  for (const line of ['3.9', '4.1'] as const)
    emulationArchives.push(await emulatedImages(line, await kafkaImage(line)));
  return { emulationArchives, wardenArchives: (await wardenImage()).archives };
}
