/** What can go wrong around the test cluster; each code stands for one remedy. */
export type ClusterErrorCode =
  | 'COMMAND_MISSING'
  | 'COMMAND_FAILED'
  | 'BUILD_FAILED'
  | 'IN_USE'
  | 'NO_SLOT'
  | 'NOT_RUNNING'
  | 'NOT_READY'
  | 'NO_SUCH_NODE'
  | 'NO_SUCH_POD'
  | 'NO_SUCH_VOLUME'
  | 'EXTERNAL_CLUSTER';

export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}

/** Whether an error says that an external cluster (KUBECONFIG) cannot do what a test asked: a reason to skip it. */
export function isUnavailable(error: unknown): error is ClusterError {
  return error instanceof ClusterError && error.code === 'EXTERNAL_CLUSTER';
}
