import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { episodesOf, told } from '../../test/judge/episodes.ts';
import type { MetadataVerdict } from '../../test/judge/metadata-log.ts';
import type { Loss } from '../../test/judge/producers/loss.ts';
import { workloadIn } from '../../test/judge/producers/workload.ts';
import { dumpOfPod, judgeInterval } from '../../test/judge/read-metadata-log.ts';
import type { Measure } from '../../test/judge/report.ts';
import type { Scene } from './scenes.ts';
import type { Subject } from './subjects.ts';

/** Before the disruption begins: both producers are at their pace. */
const steadyMs = 5_000;
/** Where nothing is amiss a controller writes every 500 ms; an election takes one or two seconds. */
const silenceMs = 3_000;
/** How long replicas may take to be in sync again once all pods are ready; the data are few. */
const settleSeconds = 90;

/** On a machine that is far beyond its cores, elections time out and gaps grow by themselves. */
const busyPerCore = 4;

function notesOf(loss: Loss, verdict: MetadataVerdict, fromMs: number): string[] {
  const notes: string[] = [];
  const [load = 0] = loadavg();
  const cores = availableParallelism();
  if (load > busyPerCore * cores)
    notes.push(`the machine was overloaded (load ${load.toFixed(0)} on ${cores} cores): times say little`);
  if (loss.lost > 0) notes.push(`lost: ${loss.examples.join(', ')}${loss.lost > 10 ? ', …' : ''}`);
  for (const [reason, times] of loss.reasons.slice(0, 3)) notes.push(`rejected ${times} × ${reason}`);
  const episodes = episodesOf(verdict.dips);
  for (const episode of episodes.slice(0, 4)) notes.push(told(episode, fromMs));
  if (episodes.length > 4) notes.push(`and ${episodes.length - 4} more such episodes`);
  if (verdict.longestSilenceMs >= silenceMs)
    notes.push(`no active controller for up to ${(verdict.longestSilenceMs / 1000).toFixed(1)} s`);
  return notes;
}

const partitions = 60;

/** Three replicas a partition, one broker after the other. */
const assignmentOf = ({ spread }: Scene) =>
  spread === undefined
    ? {}
    : {
        assignment: Array.from({ length: partitions }, (_, partition) =>
          [0, 1, 2].map((offset) => (partition + offset) % spread),
        ),
      };

/**
 * One scene between two producers, on a topic of its own with 60 partitions. The interval ends when all pods are ready and all replicas in sync
 * again, or do not come back; then what was acknowledged is read, and the metadata log judged.
 */
export async function measure(subject: Subject, scene: Scene): Promise<Measure> {
  // A Kafka that stood before may have topics of an earlier run.
  const topic = `judge-${scene.name}-${Date.now().toString(36)}`;
  const workload = workloadIn(subject.place, { topic, partitions, ...assignmentOf(scene) });
  await scene.arrange?.(subject);
  await workload.create();
  await workload.start();
  await sleep(steadyMs);
  const fromMs = Date.now();
  const said = await scene.run(subject);
  await subject.ready();
  const settled = await workload.inSync(settleSeconds).then(
    () => [],
    () => [`not all replicas were in sync ${settleSeconds} s after the pods were ready`],
  );
  const toMs = Date.now();
  const { loss } = await workload.stop();
  const dumps = (await subject.pods()).map((pod) => dumpOfPod(subject.cluster, subject.namespace, pod));
  const includes = (name: string) => name === topic;
  const verdict = await judgeInterval(dumps, { fromMs, toMs, staticMinIsr: 2, includes });
  return {
    ...{ acknowledged: loss.acknowledged, lost: loss.lost, unread: loss.unread, rejected: loss.rejected },
    underMinIsrPartitionSeconds: verdict.underMinIsrPartitionSeconds,
    offlinePartitionSeconds: verdict.offlinePartitionSeconds,
    longestGapMs: loss.longestGapMs,
    durationMs: toMs - fromMs,
    notes: [...said, ...settled, ...notesOf(loss, verdict, fromMs)],
  };
}
