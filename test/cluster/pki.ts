import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { script } from './command.ts';
import type { Layout, NodeLayout } from './layout.ts';

interface Leaf {
  name: string;
  /** Such as `/O=system:nodes/CN=system:node:node1`. */
  subject: string;
  /** Such as `DNS:kubernetes,IP:10.0.0.1`. */
  names?: string;
}

/** The cluster's authority, the key that signs service account tokens, and the control plane's own certificates. */
export async function makeAuthority(layout: Layout): Promise<void> {
  const folder = join(layout.folder, 'pki');
  await script(
    `mkdir -p "$1" && cd "$1"
     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt \\
       -subj /CN=kafka-warden-test-cluster -days 30 2>/dev/null
     openssl genrsa -out sa.key 2048 2>/dev/null
     openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null`,
    [folder],
  );
  const service = ['', '.default', '.default.svc', '.default.svc.cluster.local'].map(
    (it) => `DNS:kubernetes${it}`,
  );
  const addresses = [layout.controlPlane.address, layout.kubernetesAddress, '127.0.0.1'].map(
    (it) => `IP:${it}`,
  );
  const leaves: Leaf[] = [
    { name: 'apiserver', subject: '/CN=kube-apiserver', names: [...service, ...addresses].join(',') },
    { name: 'kubelet-client', subject: '/O=system:masters/CN=kube-apiserver-kubelet-client' },
    { name: 'admin', subject: '/O=system:masters/CN=kubernetes-admin' },
    { name: 'controller-manager', subject: '/CN=system:kube-controller-manager' },
    { name: 'scheduler', subject: '/CN=system:kube-scheduler' },
    { name: 'proxy', subject: '/CN=system:kube-proxy' },
    { name: 'dns', subject: '/CN=system:coredns' },
  ];
  await Promise.all(leaves.map((leaf) => issue(layout, leaf)));
  const clients = leaves.filter((it) => !['apiserver', 'kubelet-client'].includes(it.name));
  await Promise.all(
    clients.map(({ name }) => writeKubeconfig(layout, name, `${layout.folder}/${name}.kubeconfig`)),
  );
}

/** A node's certificate, for its kubelet as a client and as a server, and its kubeconfig. */
export async function makeNodeCertificate(layout: Layout, node: NodeLayout): Promise<void> {
  await issue(layout, {
    name: node.name,
    subject: `/O=system:nodes/CN=system:node:${node.name}`,
    names: `DNS:${node.name},IP:${node.address}`,
  });
  await writeKubeconfig(layout, node.name, join(node.folder, 'kubelet.kubeconfig'));
}

async function issue(layout: Layout, { name, subject, names }: Leaf): Promise<void> {
  const extensions = `${names === undefined ? '' : `subjectAltName=${names}\n`}extendedKeyUsage=serverAuth,clientAuth\n`;
  await script(
    `cd "$1"
     openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$2.key" -out "$2.csr" -subj "$3" 2>/dev/null
     openssl x509 -req -in "$2.csr" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -days 30 \\
       -out "$2.crt" -extfile <(printf '%s' "$4") 2>/dev/null
     rm "$2.csr"`,
    [join(layout.folder, 'pki'), name, subject, extensions],
  );
}

async function writeKubeconfig(layout: Layout, name: string, path: string): Promise<void> {
  const pki = join(layout.folder, 'pki');
  const server = `https://${layout.controlPlane.address}:6443`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: layout.name, cluster: { server, 'certificate-authority': join(pki, 'ca.crt') } }],
    users: [
      {
        name,
        user: { 'client-certificate': join(pki, `${name}.crt`), 'client-key': join(pki, `${name}.key`) },
      },
    ],
    contexts: [{ name: layout.name, context: { cluster: layout.name, user: name } }],
    'current-context': layout.name,
  };
  await writeFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
}
