import { run, tryRun } from '../command.ts';

/** Debian packages that the cluster is built with and runs on. */
const packages = [
  'ca-certificates',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'e2fsprogs',
  'iproute2',
  'ipset',
  'iptables',
  'maven',
  'mmdebstrap',
  'openssl',
  'runc',
  'socat',
  'umoci',
  'util-linux',
];

/** Programs that satisfy a package when they were installed in another way. */
const providers: Record<string, string> = { maven: 'mvn', openssl: 'openssl' };

/** Installs what is missing; a second try follows a fresh package list, for mirrors that moved on meanwhile. */
export async function installPackages(): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = () =>
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  await run('apt-get', ['update', '-qq'], { env });
  await install().catch(async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await install();
  });
}

async function isInstalled(name: string): Promise<boolean> {
  const program = providers[name];
  if (program !== undefined && (await tryRun('which', [program])).code === 0) return true;
  const { code, stdout } = await tryRun('dpkg-query', ['-W', '-f', '${Status}', name]);
  return code === 0 && stdout.includes('install ok installed');
}
