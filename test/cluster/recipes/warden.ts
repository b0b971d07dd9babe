import { chmod, cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run, script } from '../command.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { archiveIn, archiveLayout, debianRoot, layoutIn, packImage } from './image.ts';

const nodeProgram = join(checkout, 'node_modules/node/bin/node');

/** Debian with this checkout's Node.js. Returns the folder of its layout. */
async function nodeRoot(): Promise<string> {
  const { version } = JSON.parse(
    await readFile(join(checkout, 'node_modules/node/package.json'), 'utf8'),
  ) as {
    version: string;
  };
  return artefact({
    name: 'node',
    inputs: ['bookworm', 'libstdc++6', version, await hashOf(checkout, [ownFile('recipes/image.ts')])],
    build: async (folder) => {
      const root = join(folder, 'root');
      await debianRoot(root, ['libstdc++6', 'ca-certificates'], 'essential');
      await cp(nodeProgram, join(root, 'usr/local/bin/node'));
      await chmod(join(root, 'usr/local/bin/node'), 0o755);
      await script(
        `cd "$1" && echo 'warden:x:65532:65532::/nonexistent:/usr/sbin/nologin' >> etc/passwd && echo 'warden:x:65532:' >> etc/group`,
        [root],
      );
      await packImage({ layout: layoutIn(folder), tag: 'node', root });
      await rm(root, { recursive: true });
    },
  });
}

/** Node.js with the production dependencies of the lock file: the layers below the program's own. */
export async function wardenDependencies(): Promise<string> {
  const node = await nodeRoot();
  const manifests = ['package.json', 'package-lock.json', '.npmrc'];
  const { dependencies } = packageJson;
  return artefact({
    name: 'warden-dependencies',
    inputs: [
      node,
      JSON.stringify(dependencies),
      await hashOf(checkout, ['package-lock.json', ownFile('recipes/warden.ts')]),
    ],
    build: async (folder) => {
      const app = join(folder, 'root/app');
      await mkdir(app, { recursive: true });
      for (const name of manifests) {
        await cp(join(checkout, name), join(app, name)).catch(() => undefined);
      }
      await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: app });
      await removeNodeBinaries(join(app, 'node_modules'));
      for (const name of manifests) await rm(join(app, name), { force: true });
      await run('chown', ['-R', '0:0', join(folder, 'root')]);
      await packImage({
        layout: layoutIn(folder),
        base: layoutIn(node),
        tag: 'dependencies',
        root: join(folder, 'root'),
        config: [
          '--config.user=65532:65532',
          '--config.workingdir=/app',
          '--config.entrypoint=/usr/local/bin/node',
          '--config.entrypoint=/app/dist/src/cli/main.js',
          '--config.env=PATH=/usr/local/bin:/usr/bin:/bin',
          '--config.env=NODE_ENV=production',
        ],
      });
      await rm(join(folder, 'root'), { recursive: true });
      await archiveLayout(layoutIn(folder), archiveIn(folder));
    },
  });
}

/** The package `node` brings the program itself, which the image has already. */
async function removeNodeBinaries(modules: string): Promise<void> {
  const names = (await readdir(modules)).filter(
    (it) => it === 'node' || /^node-(bin-setup|linux|darwin|win)/.test(it),
  );
  for (const name of names) await rm(join(modules, name), { recursive: true });
}

/** The image of kafka-warden from this checkout's present files. */
export interface WardenImage {
  /** Folder with the layout of the layers below the program's own. */
  dependencies: string;
  /**
   * Archives to import, in this order. The last has the program's own layer only; the ones before it cost next to
   * nothing on a node that has their layers.
   */
  archives: string[];
}

export async function wardenImage(): Promise<WardenImage> {
  const dependencies = await wardenDependencies();
  const sources = [
    'certs',
    'src',
    'deploy',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  const folder = await artefact({
    name: 'warden',
    inputs: [dependencies, await hashOf(checkout, sources)],
    build: async (folder) => {
      const app = join(folder, 'root/app');
      await mkdir(app, { recursive: true });
      await compile(join(app, 'dist'));
      await cp(join(checkout, 'package.json'), join(app, 'package.json'));
      await cp(join(checkout, 'deploy'), join(app, 'deploy'), { recursive: true });
      await run('chown', ['-R', '0:0', join(folder, 'root')]);
      const layout = layoutIn(folder);
      const tag = packageJson.version;
      await packImage({ layout, base: layoutIn(dependencies), tag, root: join(folder, 'root') });
      await dropSharedBlobs(layout, layoutIn(dependencies));
      await archiveLayout(layout, archiveIn(folder));
      for (const name of ['root', 'layout']) await rm(join(folder, name), { recursive: true });
    },
  });
  return { dependencies, archives: [archiveIn(dependencies), archiveIn(folder)] };
}

/** Compiles without the type checker, which is not what an image in a test cluster waits for, and adds the assets. */
async function compile(target: string): Promise<void> {
  const compiler = join(checkout, 'node_modules/typescript/lib/tsc.js');
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', target];
  await run(nodeProgram, [compiler, ...options], { cwd: checkout });
  for (const name of ['src', 'certs']) {
    await cp(join(checkout, name), join(target, name), { recursive: true, filter: isAsset });
  }
}

/** What the program reads at run time and no compiler emits: the rule of `scripts/build.ts`. */
function isAsset(path: string): boolean {
  return !/\.(ts|md)$/.test(path) && !/\/(test|golden|fixtures)$/.test(path);
}

async function dropSharedBlobs(layout: string, base: string): Promise<void> {
  for (const name of await readdir(join(base, 'blobs/sha256'))) {
    await rm(join(layout, 'blobs/sha256', name), { force: true });
  }
}
