import { ApiError, connect, UnreachableError, type Kube } from '../kubernetes/client.ts';
import { CliError } from './errors.ts';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const noAccess = (error: unknown): CliError =>
  new CliError(
    'no-cluster-access',
    `No access to a cluster: ${reasonOf(error)}. Check --kubeconfig, $KUBECONFIG or ~/.kube/config.`,
  );

/** Connects with the user's kubeconfig. Throws `CliError` `no-cluster-access` with what to check. */
export const clusterAccess = async (kubeconfig: string | undefined): Promise<Kube> => {
  try {
    return await connect(kubeconfig === undefined ? {} : { kubeconfig });
  } catch (error) {
    throw noAccess(error);
  }
};

/** Runs calls and words what may go wrong with them for a person. */
export const asking = async <T>(what: string, calls: () => Promise<T>): Promise<T> => {
  try {
    return await calls();
  } catch (error) {
    if (error instanceof UnreachableError)
      throw new CliError('no-cluster-access', `The API server does not answer: ${error.message}.`);
    if (error instanceof ApiError && (error.status === 401 || error.status === 403))
      throw new CliError('no-cluster-access', `Not allowed to ${what}: ${error.message}.`);
    if (error instanceof CliError || error instanceof ApiError) throw error;
    throw noAccess(error);
  }
};
