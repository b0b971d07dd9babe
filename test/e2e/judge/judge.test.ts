import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { loopbackPlace } from '../../judge/producers/loopback-place.ts';
import { type Workload, workloadIn } from '../../judge/producers/workload.ts';
import { dumpOfFolder, judgeInterval } from '../../judge/read-metadata-log.ts';
import type { KafkaAdmin } from '../../../src/kafka/index.ts';
import type { Interval, MetadataVerdict } from '../../judge/metadata-log.ts';
import { kafkaHome } from '../../support/kafka-home.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../../support/loopback-kafka.ts';
import { until } from '../../support/until.ts';

const skip = (await loopbackUnavailable()) ?? false;

for (const line of ['4.1', '3.9'] as const)
  suite(`the judge of disruptions on Kafka ${line}`, { skip, timeout: 240_000 }, () => {
    let kafka: LoopbackKafka;
    let admin: KafkaAdmin;
    let libs: string;
    let place: Awaited<ReturnType<typeof loopbackPlace>>;
    before(async () => {
      // A short session: what a fenced broker does to the log comes sooner.
      const config = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };
      kafka = await startLoopback({ line, config });
      admin = kafka.admin();
      libs = join(await kafkaHome(line), 'libs');
      place = await loopbackPlace(kafka, line);
    });
    after(async () => {
      await place?.[Symbol.asyncDispose]();
      await kafka?.end();
    });

    const judged = (interval: Interval, topics: readonly string[]): Promise<MetadataVerdict> =>
      judgeInterval(
        kafka.ids.map((id) =>
          dumpOfFolder(join(dirname(kafka.logDirs(id)[0]!), 'metadata', '__cluster_metadata-0'), libs),
        ),
        { ...interval, staticMinIsr: 1, includes: (name) => topics.includes(name) },
      );

    /** Both producers around what happens in the middle. */
    const around = async (workload: Workload, happen: () => Promise<void>) => {
      await workload.create();
      await workload.start();
      const fromMs = Date.now();
      await happen();
      await workload.inSync();
      const toMs = Date.now();
      return { ...(await workload.stop()), interval: { fromMs, toMs } };
    };

    /** What does not hang on the version's format is tried with one version. */
    const once = (name: string, run: (t: TestContext) => Promise<void>): void => {
      if (line === '4.1') void test(name, run);
    };

    once('a quiet time has no dip, and everything acknowledged is read', async (t) => {
      const workload = workloadIn(place, { topic: 'quiet', partitions: 6 });
      const { loss, tallies, interval } = await around(
        workload,
        () => new Promise((resolve) => setTimeout(resolve, 3_000)),
      );
      const verdict = await judged(interval, ['quiet']);
      t.diagnostic(JSON.stringify({ ...verdict, ...loss }));
      assert.equal(verdict.partitions, 6);
      assert.deepEqual(verdict.dips, []);
      assert.ok(verdict.longestSilenceMs < 5_000, `${verdict.longestSilenceMs} ms without a record`);
      assert.deepEqual([loss.lost, loss.rejected], [0, 0]);
      for (const { client, acknowledged } of tallies)
        assert.ok(acknowledged.length >= 12, `${client} was acknowledged ${acknowledged.length}`);
    });

    test('a broker that is killed is seen as a dip, and a partition without a leader as offline', async (t) => {
      // With and without the broker that is killed; and, in a topic of its own, on it alone.
      const workload = workloadIn(place, {
        topic: 'dip',
        partitions: 2,
        assignment: [
          [1, 2],
          [0, 1],
        ],
      });
      await kafka.createTopic('alone', [[2], [0]]);
      const fenced = async () =>
        !(await admin.describeCluster()).brokers.some((one) => one.id === 2 && one.fenced !== true);
      const leads = async () =>
        (await admin.topics(['alone']))[0]?.partitions.some(({ leader }) => leader === 2);
      let killedMs = 0;
      let backMs = 0;
      const { loss, interval } = await around(workload, async () => {
        killedMs = Date.now();
        await kafka.kill(2);
        await until('the controller has fenced the broker', fenced);
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        backMs = Date.now();
        await kafka.start(2);
        await until('broker 2 leads again', leads);
      });
      const verdict = await judged(interval, ['dip', 'alone']);
      t.diagnostic(JSON.stringify({ ...verdict, ...loss }));
      const dips = verdict.dips.map(({ kind, topic, partition }) => `${kind} ${topic}-${partition}`).sort();
      // With eligible leader replicas the last replica leaves the ISR as well; before, it stays there.
      const last = line === '4.1' ? ['under-min-isr alone-0'] : [];
      assert.deepEqual([...new Set(dips)], ['offline alone-0', ...last, 'under-min-isr dip-0']);
      // From the fencing, which is after the kill, until some time after the start.
      for (const dip of verdict.dips) {
        assert.ok(dip.fromMs > killedMs && dip.fromMs < backMs, `${dip.kind} began in time`);
        assert.ok(dip.toMs > backMs && dip.toMs <= interval.toMs, `${dip.kind} ended in time`);
      }
      assert.ok(verdict.offlinePartitionSeconds >= 2, `${verdict.offlinePartitionSeconds} s offline`);
      assert.ok(verdict.underMinIsrPartitionSeconds >= 2, `${verdict.underMinIsrPartitionSeconds} s under`);
      assert.ok(loss.longestGapMs >= 3_000, `a gap of ${loss.longestGapMs} ms`);
      assert.equal(loss.lost, 0, 'what both replicas had is there');
    });

    once('acknowledged messages that an unclean election throws away are seen as lost', async (t) => {
      const configs = { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' };
      const workload = workloadIn(place, { topic: 'loss', partitions: 1, assignment: [[1, 2]], configs });
      const isr = async () => (await admin.topics(['loss']))[0]?.partitions[0]?.isr ?? [];
      const { loss } = await around(workload, async () => {
        await kafka.kill(2);
        await until('broker 1 is alone in sync', async () => (await isr()).join() === '1');
        // Acknowledged by broker 1 alone.
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        await kafka.kill(1);
        await kafka.start(2);
        await until('broker 2 leads uncleanly', async () => (await isr()).join() === '2');
        await kafka.start(1);
      });
      t.diagnostic(JSON.stringify(loss));
      assert.ok(loss.lost > 0, 'the judge sees no loss');
    });
  });
