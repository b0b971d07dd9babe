import { Resolver } from 'node:dns/promises';
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Cluster, CommandOptions, LogOptions } from './cluster.ts';
import { run } from './command.ts';

/** The part of a cluster's interface that any kubeconfig gives. */
export type ClientCalls = Pick<Cluster, 'kubectl' | 'helm' | 'apply' | 'logs'>;

/** kubectl and Helm with a kubeconfig of their own, whatever the environment says. */
export function clientCalls(kubeconfig: string, programs: Cluster['programs']): ClientCalls {
  const env = { KUBECONFIG: kubeconfig };
  const kubectl = (args: readonly string[], { input }: CommandOptions = {}) =>
    run(programs.kubectl, args, { env, input });
  return {
    kubectl,
    helm: (args, { input } = {}) => run(programs.helm, args, { env, input }),
    apply: (manifest) => kubectl(['apply', '-f', '-'], { input: asInput(manifest) }),
    logs: (pod, namespace, { container, previous = false }: LogOptions = {}) =>
      kubectl([
        ...['logs', pod, '-n', namespace],
        ...(container === undefined ? [] : ['-c', container]),
        ...(previous ? ['--previous'] : []),
      ]),
  };
}

function asInput(manifest: string | object | readonly object[]): string {
  if (typeof manifest === 'string') return manifest;
  if (!Array.isArray(manifest)) return JSON.stringify(manifest);
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest as readonly object[] });
}

/** Name resolution by a cluster's DNS server, for clients that run on this machine. */
export function nameResolution(server: string): Pick<Cluster, 'resolve' | 'lookup'> {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 });
  resolver.setServers([server]);
  const resolve = (name: string) => resolver.resolve4(name);
  const lookup: LookupFunction = (hostname, options, callback) => {
    if (!/\.svc(\.cluster\.local)?$/.test(hostname)) {
      systemLookup(hostname, options, callback);
      return;
    }
    const full = hostname.endsWith('.svc') ? `${hostname}.cluster.local` : hostname;
    resolve(full).then(
      (addresses) => {
        if (options.all === true)
          callback(
            null,
            addresses.map((address) => ({ address, family: 4 })),
          );
        else callback(null, addresses[0] ?? '', 4);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
  return { resolve, lookup };
}
