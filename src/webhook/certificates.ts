import { readCertificate } from '../../certs/index.ts';
import { isStatus, type Kube } from '../kubernetes/client.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { inject, isInjected, type WebhookConfiguration } from './injection.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { TlsIdentity } from './server.ts';
import { advance, trustOf, type Serving } from './serving-certificate.ts';
import { secretOf, servingOf, type Secret } from './serving-secret.ts';
import { serviceHost } from './settings.ts';
import { changesOf } from './wakeups.ts';

export interface CertificateSources {
  secrets: Informer<Secret>;
  configurations: readonly Informer<WebhookConfiguration>[];
}

const checkMs = 20_000;

/** The serving certificate as the Secret has it now. */
export const servingNow = ({ secrets }: Pick<CertificateSources, 'secrets'>): Serving | undefined =>
  servingOf(secrets.list()[0]);

async function write(
  kube: Kube,
  namespace: string,
  serving: Serving,
  present: Secret | undefined,
): Promise<void> {
  const secret = secretOf(serving, namespace, present);
  if (present) await kube.replace(paths.secrets(namespace, secret.metadata.name), secret);
  else await kube.create(paths.secrets(namespace), secret);
}

/**
 * The Lease holder's care for the serving certificate: makes it, renews it, and keeps its CA bundle in both webhook
 * configurations, whoever changes them. Runs until the signal aborts; failures are logged and tried again.
 */
export async function keepCertificates(
  kube: Kube,
  sources: CertificateSources,
  options: { namespace: string; log: Log; signal: AbortSignal },
): Promise<void> {
  const { namespace, log, signal } = options;
  const dnsNames = [serviceHost(namespace), `${serviceHost(namespace)}.cluster.local`];
  const changes = changesOf([sources.secrets, ...sources.configurations], {
    atLeastEveryMs: checkMs,
    signal,
  });
  let injected: { bundle: string; since: Date } | undefined;

  const injectedSince = (bundle: string, now: Date): Date | undefined => {
    if (!isInjected(sources.configurations, bundle)) injected = undefined;
    else if (injected?.bundle !== bundle) injected = { bundle, since: now };
    return injected?.since;
  };

  async function step(): Promise<void> {
    const present = sources.secrets.list()[0];
    const serving = servingOf(present);
    const now = new Date();
    const since = serving && injectedSince(trustOf(serving), now);
    const next = advance(serving, { now, dnsNames, injectedSince: since });
    if (next) {
      await write(kube, namespace, next.serving, present);
      log.info({ reason: next.reason }, 'the serving certificate was changed');
    }
    const current = next?.serving ?? serving;
    if (current) {
      const configurations = sources.configurations.flatMap((informer) => informer.list());
      await inject(kube, configurations, trustOf(current), log);
    }
  }

  for await (const _ of changes) {
    try {
      await step();
    } catch (error) {
      // 409: the copy that was looked at was old; its successor is on its way.
      if (!isStatus(error, 409)) log.error({ err: error }, 'the serving certificate could not be cared for');
    }
  }
}

/** Calls `present` with each leaf that the Secret holds, from now on, in every replica. */
export function followCertificate(
  sources: Pick<CertificateSources, 'secrets'>,
  metrics: WebhookMetrics,
  present: (identity: TlsIdentity) => void,
): void {
  let last = '';
  const look = () => {
    const serving = servingNow(sources);
    if (!serving || serving.leaf.certificatePem === last) return;
    const { leaf, authority } = serving;
    present(leaf);
    last = leaf.certificatePem;
    for (const [certificate, pem] of Object.entries({
      leaf: leaf.certificatePem,
      authority: authority.certificatePem,
    }))
      metrics.certificateExpiry.set({ certificate }, readCertificate(pem).notAfter.getTime() / 1_000);
  };
  sources.secrets.onChange(look);
  look();
}
