import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { run, script } from '../command.ts';

/** A step in packing an image: a folder that becomes a layer over `/`. */
export interface Packing {
  /** OCI layout to make. */
  layout: string;
  /** OCI layout whose image this one continues, if any. */
  base?: string;
  tag: string;
  /** Root of the new layer; owners and modes are taken as they are. */
  root: string;
  /** Options of `umoci config`, such as `--config.user=1000:1000`. */
  config?: readonly string[];
}

/** Adds one layer to a new or a copied image. The layout's only image carries the tag. */
export async function packImage({ layout, base, tag, root, config = [] }: Packing): Promise<void> {
  const image = `${layout}:${tag}`;
  if (base === undefined) {
    await run('umoci', ['init', '--layout', layout]);
    await run('umoci', ['new', '--image', image]);
  } else {
    await cp(base, layout, { recursive: true });
    await retag(layout, tag);
  }
  await run('umoci', ['insert', '--image', image, root, '/']);
  if (config.length > 0) await run('umoci', ['config', '--image', image, ...config]);
  await run('umoci', ['gc', '--layout', layout]);
}

async function retag(layout: string, tag: string): Promise<void> {
  const [old] = (await run('umoci', ['list', '--layout', layout])).trim().split('\n');
  if (old === undefined || old === tag) return;
  await run('umoci', ['tag', '--image', `${layout}:${old}`, tag]);
  await run('umoci', ['rm', '--image', `${layout}:${old}`]);
}

/** Debian packages unpacked to a root file system, without what no container reads. */
export async function debianRoot(root: string, packages: readonly string[], variant: string): Promise<void> {
  await script(
    `mmdebstrap --quiet --variant="$2" --include="$3" --aptopt='Apt::Install-Recommends "false"' \\
      --dpkgopt='path-exclude=/usr/share/{doc,man,locale,info}/*' --dpkgopt='path-exclude=/usr/share/zoneinfo/*' \\
      bookworm "$1" $(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null)
     rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/dev/*`,
    [root, variant, packages.join(',')],
  );
}

/** Packs a layout's files to an archive for `ctr images import`. */
export async function archiveLayout(layout: string, archive: string): Promise<void> {
  await run('tar', ['-C', layout, '-cf', archive, '.']);
}

/** Where an artefact keeps its image. */
export function layoutIn(folder: string): string {
  return join(folder, 'layout');
}

/** Where an artefact keeps an archive of it. */
export function archiveIn(folder: string): string {
  return join(folder, 'image.tar');
}
