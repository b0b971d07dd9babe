import { InvalidArgumentError, Option } from 'commander';

/** Gathers an option that may be repeated. */
export const collected = (value: string, all: readonly string[] = []): string[] => [...all, value];

const namespace = (value: string): string => {
  if (!/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(value))
    throw new InvalidArgumentError('A namespace is at most 63 of a-z, 0-9 and -.');
  return value;
};

export const namespaceOption = (what: string): Option =>
  new Option('-n, --namespace <name>', what).argParser(namespace);

export const kubeconfigOption = (): Option => new Option('--kubeconfig <file>', 'how to reach the cluster');

/** The planner's modes. */
export const balanceModes = ['balance', 'add-brokers', 'remove-brokers', 'leaders', 'light'] as const;

/** Values of a repeatable option that may also be given as `4,5`. */
export const listed = (value: string, all: readonly string[] = []): string[] => [...all, ...value.split(',')];
