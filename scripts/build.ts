/**
 * `npm run build`: compiles `src` and `certs` to `dist`, copies the files beside the sources that the program reads
 * at run time (shell scripts and the like), and makes the program executable.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const program = join(dist, 'src/cli/main.js');
const sources = '{src,certs}';

const compile = (): void => {
  const compiler = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
  const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    console.error('build: the compiler reported errors; dist is incomplete.');
    process.exit(1);
  }
};

/** Everything beside the sources that is neither TypeScript nor documentation nor made for tests. */
const assets = (): string[] =>
  globSync(`${sources}/**/*.*`, { cwd: root }).filter(
    (file) => !/\.(ts|md)$/.test(file) && !/\/(test|golden|fixtures)\//.test(file),
  );

const copyAssets = (): void => {
  for (const file of assets()) {
    const target = join(dist, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, file), target);
  }
};

const sizeBytes = (): number =>
  globSync('**/*.*', { cwd: dist }).reduce((sum, file) => sum + statSync(join(dist, file)).size, 0);

const started = performance.now();
rmSync(dist, { recursive: true, force: true });
compile();
copyAssets();
chmodSync(program, 0o755);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `built dist: ${Math.round(sizeBytes() / 1024)} KiB in ${seconds} s; program dist/src/cli/main.js`,
);
