import { cp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run, tryRun } from '../command.ts';
import { ClusterError } from '../errors.ts';
import { helmVersion, kubernetesVersion } from '../versions.ts';

const flags = ['-trimpath', '-ldflags'];
const env = { CGO_ENABLED: '0', GOFLAGS: '' };

/** The program for every Kubernetes component, with `kubectl` beside it. Returns the folder with both. */
export async function kubernetes(): Promise<string> {
  const [major, minor] = kubernetesVersion.split('.');
  const version = 'k8s.io/component-base/version';
  const stamp = [
    `-X ${version}.gitVersion=v${kubernetesVersion}`,
    `-X ${version}.gitMajor=${major}`,
    `-X ${version}.gitMinor=${minor}`,
    `-X ${version}.gitTreeState=clean`,
  ].join(' ');
  return artefact({
    name: 'kubernetes',
    inputs: [await hashOf(checkout, [ownFile('hyperkube')]), stamp],
    build: async (folder) => {
      await buildModule('hyperkube', join(folder, 'hyperkube'), `-s -w ${stamp}`);
      await symlink('hyperkube', join(folder, 'kubectl'));
    },
  });
}

/** CoreDNS with the plugins that cluster DNS needs. Returns the program. */
export async function coredns(): Promise<string> {
  const folder = await artefact({
    name: 'coredns',
    inputs: [await hashOf(checkout, [ownFile('coredns')])],
    build: (folder) => buildModule('coredns', join(folder, 'coredns'), '-s -w'),
  });
  return join(folder, 'coredns');
}

/** Helm's own command. Returns the program. */
export async function helm(): Promise<string> {
  const folder = await artefact({
    name: 'helm',
    inputs: [helmVersion],
    build: async (folder) => {
      await requireGo();
      const target = `helm.sh/helm/v3/cmd/helm@v${helmVersion}`;
      const stamp = `-s -w -X helm.sh/helm/v3/internal/version.version=v${helmVersion}`;
      await run('go', ['install', ...flags, stamp, target], { env: { ...env, GOBIN: folder } });
    },
  });
  return join(folder, 'helm');
}

/** Builds one of the Go modules of this folder into a static program. */
export async function buildModule(module: string, program: string, linkerFlags: string): Promise<void> {
  await requireGo();
  const source = `${program}.source`;
  await cp(join(checkout, ownFile(module)), source, { recursive: true });
  await run('go', ['build', ...flags, linkerFlags, '-o', program, '.'], { cwd: source, env });
  await rm(source, { recursive: true });
}

async function requireGo(): Promise<void> {
  const found = await tryRun('go', ['version']).catch(() => undefined);
  if (found?.code === 0) return;
  throw new ClusterError(
    'BUILD_FAILED',
    'Go is missing, and Kubernetes is built from its modules: install Go 1.24 or later and put it on PATH ' +
      '(Debian 12: `apt-get install -t bookworm-backports golang-go`; Go 1.21 fetches a later toolchain by itself).',
  );
}
