import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { marked } from './mark.ts';
import type { ClusterModel } from './model.ts';
import type { Plan, Progress } from './planner.ts';
import { propose } from './propose.ts';
import type { Request } from './propose.ts';

/** A search under way in a thread of its own. */
export interface RunningPlan {
  readonly result: Promise<Plan>;
  /** Ends the search; `result` then resolves with the best plan so far. */
  readonly interrupt: () => void;
}

interface Task {
  readonly model: ClusterModel;
  readonly request: Request;
  /** One Int32, not 0 once the search is to end. */
  readonly stop: SharedArrayBuffer;
}

type Message = { readonly progress: Progress } | { readonly plan: Plan };

/**
 * Starts the search for a plan in a worker thread, which leaves the event loop of the caller free.
 * @throws ModelError where the request names brokers that the model or the mode does not allow
 */
export function planInWorker(
  model: ClusterModel,
  request: Request,
  onBetter?: (progress: Progress) => void,
): RunningPlan {
  const stop = new SharedArrayBuffer(4);
  const { brokers, ...rest } = request;
  const task: Task = { model: marked(model, request.mode, brokers), request: rest, stop };
  const worker = new Worker(new URL(import.meta.url), { workerData: { balance: task } });
  const result = new Promise<Plan>((resolve, reject) => {
    worker.on('message', (message: Message) => {
      if ('plan' in message) resolve(message.plan);
      else onBetter?.(message.progress);
    });
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`the planner's thread ended with code ${code} before it had a plan; plan again`)),
    );
  });
  return { result, interrupt: () => void Atomics.store(new Int32Array(stop), 0, 1) };
}

function serve({ model, request, stop }: Task): void {
  const flag = new Int32Array(stop);
  const plan = propose(model, request, {
    now: () => performance.now(),
    interrupted: () => Atomics.load(flag, 0) !== 0,
    onBetter: (progress) => parentPort?.postMessage({ progress } satisfies Message),
  });
  parentPort?.postMessage({ plan } satisfies Message);
}

const task = (workerData as { balance?: Task } | null)?.balance;
if (!isMainThread && task !== undefined) serve(task);
