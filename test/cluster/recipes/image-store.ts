import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run, script } from '../command.ts';
import { images } from '../versions.ts';
import { archiveLayout, layoutIn } from './image.ts';

/** An image to have on every node. */
export interface StoredImage {
  /** Folder of its layout. */
  folder: string;
  /** Full name, with its tag. */
  name: string;
  /** Further names of it. */
  aliases?: readonly string[];
}

/**
 * A containerd root with images imported and unpacked. Nodes share its layers and contents, which nothing writes to
 * after the import, and have a copy of its two small databases: that takes milliseconds where an import takes seconds.
 */
export async function imageStore(
  stored: readonly StoredImage[],
  derived: readonly string[] = [],
): Promise<string> {
  return artefact({
    name: 'image-store',
    inputs: [
      JSON.stringify([stored, derived]),
      images.pause,
      await hashOf(checkout, [ownFile('recipes/image-store.ts')]),
    ],
    build: async (folder) => {
      const work = await mkdtemp(join(tmpdir(), 'kafka-warden-images-'));
      try {
        await writeFile(
          join(work, 'config.toml'),
          'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
        );
        const archives = stored.map((_, index) => join(work, `${index}.tar`));
        for (const [index, { folder }] of stored.entries())
          await archiveLayout(layoutIn(folder), archives[index] ?? '');
        const imports = stored.map(({ name, aliases = [] }, index) => {
          const repository = name.slice(0, name.lastIndexOf(':'));
          const tags = aliases.map((alias) => `c images tag ${name} ${alias} >/dev/null`);
          return [`c images import --base-name ${repository} ${archives[index]} >/dev/null`, ...tags].join(
            '\n',
          );
        });
        imports.push(...derived.map((archive) => `c images import ${archive} >/dev/null`));
        await script(importing(imports.join('\n')), [work, folder]);
      } finally {
        await run('rm', ['-rf', work]);
      }
    },
  });
}

function importing(commands: string): string {
  return `
    work=$1 root=$2
    containerd --config "$work/config.toml" --root "$root" --state "$work/state" --address "$work/sock" > "$work/log" 2>&1 &
    daemon=$!
    trap 'kill $daemon; wait $daemon || true' EXIT
    c() { ctr --address "$work/sock" --namespace k8s.io "$@"; }
    until c version >/dev/null 2>&1; do kill -0 $daemon; sleep 0.1; done
    ${commands}
  `;
}

/** Gives a node's containerd root the images of a store. */
export async function linkImageStore(store: string, root: string): Promise<void> {
  await script(
    `store=$1 root=$2
     metadata=io.containerd.metadata.v1.bolt content=io.containerd.content.v1.content
     snapshots=io.containerd.snapshotter.v1.overlayfs
     mkdir -p "$root/$metadata" "$root/$content/blobs/sha256" "$root/$content/ingest" "$root/$snapshots/snapshots"
     chmod 700 "$root/$snapshots" "$root/$snapshots/snapshots"
     cp "$store/$metadata/meta.db" "$root/$metadata/"
     cp "$store/$snapshots/metadata.db" "$root/$snapshots/"
     ln -s "$store/$snapshots/snapshots/"* "$root/$snapshots/snapshots/"
     cp --link "$store/$content/blobs/sha256/"* "$root/$content/blobs/sha256/" 2>/dev/null ||
       ln -sf "$store/$content/blobs/sha256/"* "$root/$content/blobs/sha256/"`,
    [store, root],
  );
}
