import { readFile } from 'node:fs/promises';
import type { Cluster } from '../cluster/index.ts';
import { wardenNamespace } from './warden.ts';

/** What was searched, for how much, and where something was found (places and the secret's name, never its value). */
export interface Search {
  places: number;
  secrets: number;
  leaks: string[];
}

interface Subject {
  namespace: string;
  set: string;
  user: string;
}

/** Every secret value of a cluster, in pieces that would be recognised: passwords whole, private keys line by line. */
async function secretsOf(cluster: Cluster, { namespace, set, user }: Subject): Promise<Map<string, string>> {
  const needles = new Map<string, string>();
  const names = [
    `${set}-kafka-keys`,
    `${user}-kafka-user`,
    `${set}-kafka-authority`,
    `${set}-kafka-clients-authority`,
  ];
  for (const name of names) {
    const { data } = JSON.parse(
      await cluster.kubectl(['-n', namespace, 'get', 'secret', name, '-o', 'json']),
    ) as { data: Record<string, string> };
    for (const [key, encoded] of Object.entries(data)) {
      if (!/password|tls\.key|\.p12$/.test(key)) continue;
      const value = Buffer.from(encoded, 'base64');
      if (key.endsWith('.p12')) needles.set(`${name}/${key}`, encoded.slice(200, 264));
      else if (key === 'tls.key') needles.set(`${name}/${key}`, value.toString().split('\n')[1] ?? '');
      else needles.set(`${name}/${key}`, value.toString().trim());
    }
  }
  return needles;
}

/** Each secret as it is and in base64 at each of the three alignments that it can have inside a longer text. */
function forms(secret: string): string[] {
  const aligned = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift, 0), Buffer.from(secret)]).toString('base64');
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
  return [secret, ...aligned].filter((form) => form.length >= 8);
}

async function placesOf(cluster: Cluster, { namespace }: Subject): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const kind of [
    'statefulsets',
    'controllerrevisions',
    'pods',
    'deployments',
    'configmaps',
    'kafkaclusters',
    'kafkausers',
    'events',
  ])
    for (const where of [namespace, wardenNamespace])
      places.set(
        `${where} ${kind}`,
        await cluster.kubectl(['-n', where, 'get', kind, '-o', 'yaml', '--show-managed-fields']),
      );
  for (const where of [namespace, wardenNamespace])
    for (const pod of (await cluster.kubectl(['-n', where, 'get', 'pods', '-o', 'name']))
      .trim()
      .split('\n')) {
      const name = pod.replace('pod/', '');
      places.set(`${where} logs of ${name}`, await cluster.logs(name, where));
      for (const { pid, command } of await processes(cluster, name, where)) {
        places.set(`${where} ${name} command line of ${pid}`, command.join(' '));
        places.set(
          `${where} ${name} environment of ${pid}`,
          await readFile(`/proc/${pid}/environ`, 'latin1'),
        );
      }
    }
  return places;
}

/** A pod's processes; none on a cluster whose machines cannot be looked into. */
async function processes(cluster: Cluster, pod: string, namespace: string) {
  if (cluster.name === 'external') return [];
  return cluster.processesOf(pod, namespace);
}

/** Searches templates, environments, command lines, logs and events for every secret of a cluster. */
export async function findSecrets(cluster: Cluster, subject: Subject): Promise<Search> {
  const secrets = await secretsOf(cluster, subject);
  const places = await placesOf(cluster, subject);
  const leaks: string[] = [];
  for (const [place, text] of places)
    for (const [name, secret] of secrets)
      if (forms(secret).some((form) => text.includes(form))) leaks.push(`${name} in ${place}`);
  return { places: places.size, secrets: secrets.size, leaks };
}
