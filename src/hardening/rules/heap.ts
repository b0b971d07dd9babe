import { literal } from '../configuration.ts';
import { pointerTo, type Rule } from '../draft.ts';
import { repositoryOf, parseImage } from '../image.ts';
import type { Observed } from './observed.ts';

const units: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a Kubernetes quantity (`2Gi`, `500M`); undefined where it is none. */
export function bytesOf(quantity: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity ?? '');
  const unit = units[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** Bytes of the last -Xmx among JVM options. */
export function maxHeapOf(options: string): number | undefined {
  const found = [...options.matchAll(/-Xmx(\d+)([kKmMgGtT]?)/g)].at(-1);
  if (found === undefined) return undefined;
  const power = { '': 0, k: 1, m: 2, g: 3, t: 4 }[(found[2] ?? '').toLowerCase()] ?? 0;
  return Number(found[1]) * 1024 ** power;
}

/** What kafka-server-start.sh takes where KAFKA_HEAP_OPTS is not set. */
const defaultHeap = 2 ** 30;
const gib = (bytes: number) => `${Math.round((bytes / 2 ** 30) * 100) / 100} GiB`;
const hasNoHeap = (image: string) => repositoryOf(parseImage(image)) === 'apache/kafka-native';

export const heap: Rule = {
  id: 'heap',
  title: 'A heap that fits in the memory limit',
  why: 'The JVM needs memory beside its heap (threads, direct buffers, metaspace), and the page cache counts against the limit too: a heap of the size of the limit ends with the kernel killing the broker. Where KAFKA_HEAP_OPTS is set without -Xmx, the 1 GiB of the start script is gone and the JVM takes a quarter of the memory.',
  remedy: 'Set -Xms and -Xmx in KAFKA_HEAP_OPTS to at most half of the memory limit.',
  severity: 'error',
  since: 1,
  apply({ container, containerIndex, configuration, report }: Observed) {
    if (hasNoHeap(container.image ?? '')) return;
    const variable = configuration.variable('KAFKA_HEAP_OPTS');
    const options = literal(variable);
    const path = pointerTo(containerIndex, 'from' in variable ? variable.from : '/resources');
    if (options === undefined && variable.state !== 'absent') return;
    if (options !== undefined && !/-Xmx|MaxRAM|MaxHeapSize|@/.test(options))
      report({
        path,
        message: `KAFKA_HEAP_OPTS (${options}) sets no -Xmx: the heap is a quarter of the memory, not 1 GiB`,
        severity: 'warning',
      });
    const size = options === undefined ? defaultHeap : maxHeapOf(options);
    const limit = bytesOf(container.resources?.limits?.['memory']);
    if (size === undefined || limit === undefined || size < limit) return;
    const whose = options === undefined ? 'the default heap' : 'the heap';
    report({
      path,
      message: `${whose} of ${gib(size)} does not fit in the memory limit of ${gib(limit)}: the kernel kills the broker as it fills`,
    });
  },
};
