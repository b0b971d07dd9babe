import { setTimeout as delay } from 'node:timers/promises';
import { isStatus, type Kube } from './client.ts';
import type { Log, ObjectMeta } from './object.ts';
import { paths } from './paths.ts';

interface LeaseObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface LeaseOptions {
  namespace: string;
  name: string;
  /** Unique to this process; the pod's name. */
  identity: string;
  durationMs: number;
  renewMs: number;
  log: Log;
  /** Ends the candidacy; the lease is given back once `lead` has ended. */
  signal: AbortSignal;
  /**
   * The holder's work. Its signal aborts when the lease is lost, cannot be renewed in time, or the process ends. A process
   * that has stood still for long hears of it late: `holds` tells at any moment whether the last renewal is younger than 2/3
   * of the duration, so that nobody else can have the lease.
   */
  lead: (signal: AbortSignal, holds: () => boolean) => Promise<void>;
}

/** A moment by both clocks: one of them stands still in a suspended machine, the other may be set. */
interface Moment {
  readonly steadyMs: number;
  readonly wallMs: number;
}

/** When the last renewal that succeeded was sent. */
interface Tenure {
  renewed: Moment;
}

const present = (): Moment => ({ steadyMs: performance.now(), wallMs: Date.now() });

/** The longer by either clock: in doubt, longer ago. */
export const elapsedMs = (since: Moment, now: Moment = present()): number =>
  Math.max(now.steadyMs - since.steadyMs, now.wallMs - since.wallMs);

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

/**
 * Leader election over a coordination.k8s.io Lease, as client-go does it: every write carries the version that was
 * read, and another's lease counts as expired only after its duration has passed on our own clock since it last
 * changed (clocks of different machines are never compared). The holder stops after 2/3 of the duration without a
 * renewal, so that it has stopped before anyone else starts. Resolves when `signal` has aborted and `lead` ended.
 */
export async function holdLease(kube: Kube, options: LeaseOptions): Promise<void> {
  const { identity, durationMs, renewMs, log, signal, lead } = options;
  const path = paths.leases(options.namespace, options.name);
  const fields = { lease: options.name, identity };
  const longestMs = (durationMs * 2) / 3;
  let seen = { version: '', atMs: 0 };

  const heldByOther = (lease: LeaseObject): boolean => {
    const version = lease.metadata.resourceVersion ?? '';
    if (version !== seen.version) seen = { version, atMs: performance.now() };
    const { holderIdentity, leaseDurationSeconds = durationMs / 1_000 } = lease.spec ?? {};
    if (!holderIdentity || holderIdentity === identity) return false;
    return performance.now() < seen.atMs + leaseDurationSeconds * 1_000;
  };

  const claimed = (lease: LeaseObject | undefined): LeaseObject => {
    const now = microTime(Date.now());
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = lease?.spec ?? {};
    const kept = holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...lease?.metadata, name: options.name, namespace: options.namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(durationMs / 1_000),
        acquireTime: kept ? acquireTime : now,
        renewTime: now,
        leaseTransitions: kept || !lease ? leaseTransitions : leaseTransitions + 1,
      },
    };
  };

  /** The lease as it was written by us; undefined while another holds it. */
  async function take(): Promise<LeaseObject | undefined> {
    const lease = await kube.tryGet<LeaseObject>(path);
    if (lease && heldByOther(lease)) return undefined;
    return lease
      ? kube.replace<LeaseObject>(path, claimed(lease))
      : kube.create<LeaseObject>(paths.leases(options.namespace), claimed(undefined));
  }

  /** Renews until told to stop; returns when the lease is lost or its renewal is overdue. */
  async function keep(taken: LeaseObject, tenure: Tenure, stop: AbortSignal): Promise<void> {
    let lease = taken;
    while (!stop.aborted) {
      const leftMs = longestMs - elapsedMs(tenure.renewed);
      if (leftMs <= 0) return void log.warn(fields, 'the lease could not be renewed in time');
      await delay(Math.min(renewMs, leftMs), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      const started = present();
      try {
        const overdue = delay(Math.max(0, longestMs - elapsedMs(tenure.renewed, started)), undefined);
        const renewed = await Promise.race([kube.replace<LeaseObject>(path, claimed(lease)), overdue]);
        if (renewed) [lease, tenure.renewed] = [renewed, started];
      } catch (error) {
        log.warn({ ...fields, err: error }, 'a renewal of the lease failed');
        const now = isStatus(error, 404, 409)
          ? await kube.tryGet<LeaseObject>(path).catch(() => lease)
          : lease;
        if (now?.spec?.holderIdentity !== identity) return void log.warn(fields, 'the lease was lost');
        lease = now;
      }
    }
  }

  async function release(): Promise<void> {
    const lease = await kube.tryGet<LeaseObject>(path);
    if (lease?.spec?.holderIdentity !== identity) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await kube.replace(path, { ...lease, spec });
  }

  async function leadWhileHeld(lease: LeaseObject, taken: Moment): Promise<void> {
    if (signal.aborted) return release();
    log.info(fields, 'the lease is held');
    const term = new AbortController();
    const tenure: Tenure = { renewed: taken };
    const holds = () => !term.signal.aborted && elapsedMs(tenure.renewed) < longestMs;
    const work = lead(AbortSignal.any([signal, term.signal]), holds).catch((error: unknown) => {
      if (!term.signal.aborted && !signal.aborted) log.error({ ...fields, err: error }, 'the holder failed');
    });
    const renewals = new AbortController();
    const lost = keep(lease, tenure, renewals.signal);
    await Promise.race([work, lost]);
    term.abort();
    await work;
    renewals.abort();
    await lost;
    await release().catch((error: unknown) =>
      log.warn({ ...fields, err: error }, 'the lease was not given back'),
    );
    log.info(fields, 'the lease is no longer held');
  }

  while (!signal.aborted) {
    const started = present();
    try {
      const lease = await take();
      if (lease) await leadWhileHeld(lease, started);
    } catch (error) {
      if (!isStatus(error, 409)) log.warn({ ...fields, err: error }, 'the lease could not be asked for');
    }
    await delay(renewMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => undefined);
  }
}
