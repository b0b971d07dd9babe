import type { LookupFunction } from 'node:net';

export interface CommandOptions {
  /** Text for the command's standard input. */
  input?: string;
}

export interface LogOptions {
  container?: string;
  /** Of the container's previous run. */
  previous?: boolean;
}

/** A process in a container, as this machine numbers it: `/proc/PID/environ` and `cmdline` can be read. */
export interface ContainerProcess {
  pid: number;
  /** Arguments, the program first. */
  command: string[];
}

/**
 * A Kubernetes cluster for tests. Everything that needs the machine below it throws `EXTERNAL_CLUSTER` where the
 * cluster is one named by KUBECONFIG. Disposing of it ends it, unless it ran before.
 */
export interface Cluster extends AsyncDisposable {
  readonly name: string;
  /** File with the credentials of a cluster administrator. */
  readonly kubeconfig: string;
  /** Programs, for tests that start them by themselves. */
  readonly programs: { kubectl: string; helm: string };
  /** The API server's audit log: one JSON event a line, for changes of workloads, Services, pods and evictions. */
  readonly auditLog: string | undefined;

  /** Runs kubectl, returns its standard output. Throws `COMMAND_FAILED` with its standard error. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs Helm, returns its standard output. Throws `COMMAND_FAILED` with its standard error. */
  helm(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Applies objects or YAML text. */
  apply(manifest: string | object | readonly object[]): Promise<string>;
  logs(pod: string, namespace: string, options?: LogOptions): Promise<string>;

  /** Addresses that the cluster's DNS has for a name. Throws where it has none. */
  resolve(name: string): Promise<string[]>;
  /** For `net.connect` and `tls.connect` of this process: names of the cluster by its DNS, others as usual. */
  readonly lookup: LookupFunction;

  /** Names of all nodes, powered on or off. */
  nodes(): Promise<string[]>;
  /** Adds a node and resolves with its name when it is Ready. */
  addNode(): Promise<string>;
  /** Cuts a node's power: kubelet, containerd and pods are gone, nobody is told. */
  stopNode(node: string): Promise<void>;
  /** Powers a node on again and resolves when it is Ready. */
  startNode(node: string): Promise<void>;
  /** Pulls a node's network cable: its pods run on, alone. */
  cutOff(node: string): Promise<void>;
  /** Plugs it in again. */
  heal(node: string): Promise<void>;

  /** Stops all processes of a pod's containers where they stand (SIGSTOP). */
  pause(pod: string, namespace: string): Promise<void>;
  /** Lets them go on (SIGCONT). */
  resume(pod: string, namespace: string): Promise<void>;
  /** Kills all processes of a pod's containers, or of one container (SIGKILL). */
  killProcessOf(pod: string, namespace: string, container?: string): Promise<void>;
  /** The processes of a pod's containers, or of one container. */
  processesOf(pod: string, namespace: string, container?: string): Promise<ContainerProcess[]>;

  /** Kills the API server. */
  stopApiServer(): Promise<void>;
  /** Starts it again and resolves when it is ready. */
  startApiServer(): Promise<void>;

  /** Fills a pod's volume, by the claim's name in the pod (its only one by default), but for some bytes (0). */
  fillDisk(pod: string, namespace: string, options?: { leaveBytes?: number; claim?: string }): Promise<void>;
  /** Removes what `fillDisk` wrote. */
  freeDisk(pod: string, namespace: string, options?: { claim?: string }): Promise<void>;

  /** Builds kafka-warden's image from the checkout and puts it on every node, under the same name as before. */
  loadImage(): Promise<void>;
  /** Ends and removes the cluster. */
  stop(): Promise<void>;
}
