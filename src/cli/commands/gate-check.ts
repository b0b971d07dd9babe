import { ApiError } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';

export interface GateCheckOptions {
  readonly pod: string;
  readonly namespace?: string;
  readonly json?: boolean;
  readonly kubeconfig?: string;
}

interface Verdict {
  readonly allowed: boolean;
  readonly code?: number;
  readonly message?: string;
}

/** The webhook's own words, without those of the API server around them. */
const withoutFrame = (message: string): string =>
  message
    .replace(/^admission webhook "[^"]+" denied the request: /, '')
    .replace(/ \(\d{3} [^()]*, \/api[^)]*\)$/, '');

/**
 * `kafka-warden gate check POD`: a dry run of the eviction that `kubectl drain` would ask for, through the API server: the
 * gate and the disruption budget both answer, and nothing is changed. Exit code 3 where it would be refused.
 */
export const gateCheckCommand = async (options: GateCheckOptions, terminal: Terminal): Promise<ExitCode> => {
  const kube = await clusterAccess(options.kubeconfig);
  const { pod: name } = options;
  const namespace = options.namespace ?? kube.namespace ?? 'default';
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { dryRun: ['All'] },
  };
  const verdict = await asking(`evict pods in the namespace ${namespace}`, async (): Promise<Verdict> => {
    try {
      await kube.create(`${paths.pods(namespace, name)}/eviction`, eviction, { dryRun: true });
      return { allowed: true };
    } catch (error) {
      if (!(error instanceof ApiError) || [401, 403].includes(error.status)) throw error;
      if (error.status === 404)
        throw new CliError('not-found', `There is no pod ${name} in the namespace ${namespace}.`);
      return { allowed: false, code: error.status, message: withoutFrame(error.message) };
    }
  });
  if (options.json) terminal.out(`${JSON.stringify({ schema: 1, namespace, pod: name, ...verdict })}\n`);
  else if (verdict.allowed) terminal.out(`${namespace}/${name} may be evicted now\n`);
  else
    terminal.out(
      `${namespace}/${name} may not be evicted now (${verdict.code ?? ''})\n${verdict.message ?? ''}\n`,
    );
  return verdict.allowed ? exitCodes.ok : exitCodes.refused;
};
