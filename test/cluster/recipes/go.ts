import { cp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run, tryRun } from '../command.ts';
import { ClusterError } from '../errors.ts';
import { helmVersion, kubernetesVersion } from '../versions.ts';

const [kubernetesMajor, kubernetesMinor] = kubernetesVersion.split('.');

/** What the programs say of themselves, and the Kubernetes that Helm renders for where it asks none. */
const stamps = {
  'k8s.io/component-base/version.gitVersion': `v${kubernetesVersion}`,
  'k8s.io/component-base/version.gitMajor': kubernetesMajor,
  'k8s.io/component-base/version.gitMinor': kubernetesMinor,
  'k8s.io/component-base/version.gitTreeState': 'clean',
  'helm.sh/helm/v3/internal/version.version': `v${helmVersion}`,
  'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': kubernetesMajor,
  'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': kubernetesMinor,
  'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': kubernetesMajor,
  'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': kubernetesMinor,
};

export interface Programs {
  /** Every Kubernetes component, chosen by its first argument. */
  hyperkube: string;
  kubectl: string;
  coredns: string;
  helm: string;
}

/** Kubernetes, CoreDNS and Helm: one Go module, so that what they share is compiled once. */
export async function programs(): Promise<Programs> {
  const flags = Object.entries(stamps).map(([name, value]) => `-X ${name}=${value}`);
  const folder = await artefact({
    name: 'programs',
    inputs: [await hashOf(checkout, [ownFile('programs')]), ...flags],
    build: async (folder) => {
      const packages = ['./hyperkube', './coredns', 'helm.sh/helm/v3/cmd/helm'];
      await buildModule('programs', { output: `${folder}/`, linkerFlags: flags, packages });
      await symlink('hyperkube', join(folder, 'kubectl'));
    },
  });
  const program = (name: string) => join(folder, name);
  return {
    hyperkube: program('hyperkube'),
    kubectl: program('kubectl'),
    coredns: program('coredns'),
    helm: program('helm'),
  };
}

interface GoBuild {
  /** A file for one package, a folder (ending in `/`) for several. */
  output: string;
  linkerFlags?: readonly string[];
  packages?: readonly string[];
}

/** Builds packages of one of the Go modules of this folder into static programs. */
export async function buildModule(
  module: string,
  { output, linkerFlags = [], packages = ['.'] }: GoBuild,
): Promise<void> {
  await requireGo();
  const source = `${output.replace(/\/$/, '')}.source`;
  await cp(join(checkout, ownFile(module)), source, { recursive: true });
  try {
    const flags = ['-trimpath', '-ldflags', ['-s', '-w', ...linkerFlags].join(' ')];
    const env = { CGO_ENABLED: '0', GOFLAGS: '' };
    await run('go', ['build', ...flags, '-o', output, ...packages], { cwd: source, env });
  } finally {
    await rm(source, { recursive: true });
  }
}

async function requireGo(): Promise<void> {
  const found = await tryRun('go', ['version']).catch(() => undefined);
  if (found?.code === 0) return;
  throw new ClusterError(
    'BUILD_FAILED',
    'Go is missing, and Kubernetes is built from its modules: install Go 1.24 or later and put it on PATH ' +
      '(Debian 12: "apt-get install -t bookworm-backports golang-go"; Go 1.21 fetches a later toolchain by itself).',
  );
}
