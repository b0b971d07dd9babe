import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artefacts } from './build.ts';
import { killGroup, makeGroup } from './cgroups.ts';
import { tryRun } from './command.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';
import { startInBackground } from './processes.ts';

const etcdUrl = 'http://127.0.0.1:2379';

/** Starts etcd and the API server, without waiting for them. */
export async function startControlPlane(layout: Layout, artefacts: Artefacts): Promise<void> {
  await writeFile(join(layout.folder, 'audit-policy.yaml'), JSON.stringify(auditPolicy));
  start(layout, 'etcd', artefacts.hyperkube, [
    'etcd',
    `--data-dir=${join(layout.folder, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--log-level=warn',
  ]);
  startApiServer(layout, artefacts);
}

/** Starts the API server; `waitForApiServer` tells when it answers. */
export function startApiServer(layout: Layout, artefacts: Artefacts): void {
  const pki = (name: string) => join(layout.folder, 'pki', name);
  start(layout, 'kube-apiserver', artefacts.hyperkube, [
    'kube-apiserver',
    `--etcd-servers=${etcdUrl}`,
    `--advertise-address=${layout.controlPlane.address}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${layout.serviceSubnet}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-account-signing-key-file=${pki('sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    // No kube-proxy runs beside the API server: it calls webhooks at their endpoints.
    '--enable-aggregator-routing=true',
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--audit-policy-file=${join(layout.folder, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLogOf(layout)}`,
    '--audit-log-maxbackup=1',
    '--profiling=false',
  ]);
}

/** Where the API server writes its audit log, one JSON event a line. */
export function auditLogOf(layout: Layout): string {
  return join(layout.folder, 'log', 'audit.log');
}

/** Ends the API server at once, as a lost control plane would. */
export async function stopApiServer(layout: Layout): Promise<void> {
  await killGroup(groupOf(layout, 'kube-apiserver'));
}

/** Starts what needs the API server: controller manager, scheduler and cluster DNS. */
export async function startControllers(layout: Layout, artefacts: Artefacts): Promise<void> {
  const pki = (name: string) => join(layout.folder, 'pki', name);
  start(layout, 'kube-controller-manager', artefacts.hyperkube, [
    'kube-controller-manager',
    `--kubeconfig=${join(layout.folder, 'controller-manager.kubeconfig')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki('sa.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--allocate-node-cidrs=false',
    '--node-monitor-grace-period=20s',
  ]);
  start(layout, 'kube-scheduler', artefacts.hyperkube, [
    'kube-scheduler',
    `--kubeconfig=${join(layout.folder, 'scheduler.kubeconfig')}`,
    '--leader-elect=false',
  ]);
  await writeFile(
    join(layout.folder, 'Corefile'),
    `.:53 {
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${join(layout.folder, 'dns.kubeconfig')}
    pods insecure
    ttl 2
  }
  cache 2
  loadbalance
}
`,
  );
  start(layout, 'coredns', artefacts.coredns, ['-conf', join(layout.folder, 'Corefile')]);
}

function start(layout: Layout, name: string, program: string, args: readonly string[]): void {
  const group = groupOf(layout, name);
  makeGroup(group);
  const enter = ['--net=/run/netns/' + layout.controlPlane.namespace, program, ...args];
  startInBackground('nsenter', enter, { group, logFile: join(layout.folder, 'log', `${name}.log`) });
}

function groupOf(layout: Layout, name: string): string {
  return `${layout.controlPlane.group}/${name}`;
}

/** Resolves when the API server is ready. Throws `NOT_READY` with the end of its log after two minutes. */
export async function waitForApiServer(layout: Layout, artefacts: Artefacts): Promise<void> {
  const deadline = Date.now() + 120_000;
  const ask = ['--kubeconfig', layout.kubeconfig, '--request-timeout=2s', 'get', '--raw', '/readyz'];
  while ((await tryRun(artefacts.kubectl, ask)).code !== 0) {
    if (Date.now() > deadline) {
      const log = await readFile(join(layout.folder, 'log', 'kube-apiserver.log'), 'utf8').catch(() => '');
      throw new ClusterError(
        'NOT_READY',
        `The API server does not get ready; its log ends with:\n${log.slice(-3000)}`,
      );
    }
    await sleep(250);
  }
}

/** What admission changed and refused, for tests to read; nothing else. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      verbs: ['create', 'update', 'patch', 'delete'],
      resources: [
        { group: 'apps', resources: ['statefulsets', 'statefulsets/scale', 'deployments'] },
        { group: '', resources: ['pods', 'pods/eviction', 'services', 'secrets'] },
        { group: 'kafka-warden.io' },
      ],
    },
    { level: 'None' },
  ],
};
