import { readCertificate } from '../../certs/index.ts';
import { isStatus, type Kube } from '../kubernetes/client.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { inject, isInjected, type WebhookConfiguration } from './injection.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { TlsIdentity } from './server.ts';
import {
  advance,
  authoritiesOf,
  purposes,
  trustOf,
  type Purpose,
  type Serving,
} from './serving-certificate.ts';
import { secretOf, servingOf, type Secret } from './serving-secret.ts';
import { installation, serviceHost } from './settings.ts';
import { changesOf } from './wakeups.ts';

export interface CertificateSources {
  secrets: Informer<Secret>;
  configurations: readonly Informer<WebhookConfiguration>[];
}

const checkMs = 20_000;

/** The serving certificate as the Secret has it now. */
export const servingNow = ({ secrets }: Pick<CertificateSources, 'secrets'>): Serving | undefined =>
  servingOf(secrets.list()[0]);

/** One certificate with its authority, kept in a Secret of its own. */
export interface KeptIdentity {
  secrets: Informer<Secret>;
  secret: string;
  purpose: Purpose;
  dnsNames: readonly string[];
  /** Where those who have to trust it are seen. */
  trusting: readonly Informer<unknown>[];
  isTrusted(serving: Serving): boolean;
  /** Has them trust it. */
  spread?(serving: Serving): Promise<void>;
}

async function write(
  kube: Kube,
  serving: Serving,
  { namespace, name, present }: { namespace: string; name: string; present: Secret | undefined },
): Promise<void> {
  const secret = secretOf(serving, namespace, present, name);
  if (present) await kube.replace(paths.secrets(namespace, name), secret);
  else await kube.create(paths.secrets(namespace), secret);
}

export interface KeepingOptions {
  namespace: string;
  log: Log;
  signal: AbortSignal;
}

/** The Lease holder's care for one identity: makes it, renews it, and has it trusted. Failures are logged and tried again. */
export async function keepIdentity(
  kube: Kube,
  identity: KeptIdentity,
  { namespace, log, signal }: KeepingOptions,
): Promise<void> {
  const { secrets, secret: name, purpose, dnsNames } = identity;
  const changes = changesOf([secrets, ...identity.trusting], { atLeastEveryMs: checkMs, signal });
  let trusted: { bundle: string; since: Date } | undefined;

  const trustedSince = (serving: Serving, now: Date): Date | undefined => {
    const bundle = authoritiesOf(serving);
    if (!identity.isTrusted(serving)) trusted = undefined;
    else if (trusted?.bundle !== bundle) trusted = { bundle, since: now };
    return trusted?.since;
  };

  async function step(): Promise<void> {
    const present = secrets.list()[0];
    const serving = servingOf(present);
    const now = new Date();
    const injectedSince = serving && trustedSince(serving, now);
    const next = advance(serving, { now, dnsNames, injectedSince, purpose });
    if (next) {
      await write(kube, next.serving, { namespace, name, present });
      log.info({ secret: name, reason: next.reason }, 'a certificate was changed');
    }
    const current = next?.serving ?? serving;
    if (current) await identity.spread?.(current);
  }

  for await (const _ of changes) {
    try {
      await step();
    } catch (error) {
      // 409: the copy that was looked at was old; its successor is on its way.
      if (!isStatus(error, 409))
        log.error({ secret: name, err: error }, 'a certificate could not be cared for');
    }
  }
}

/**
 * The Lease holder's care for the serving certificate: makes it, renews it, and keeps its CA bundle in both webhook
 * configurations, whoever changes them. Runs until the signal aborts.
 */
export async function keepCertificates(
  kube: Kube,
  { secrets, configurations }: CertificateSources,
  options: KeepingOptions,
): Promise<void> {
  const host = serviceHost(options.namespace);
  await keepIdentity(
    kube,
    {
      secrets,
      secret: installation.servingSecret,
      purpose: purposes.serving,
      dnsNames: [host, `${host}.cluster.local`],
      trusting: configurations,
      isTrusted: (serving) => isInjected(configurations, trustOf(serving)),
      spread: (serving) =>
        inject(
          kube,
          configurations.flatMap((informer) => informer.list()),
          trustOf(serving),
          options.log,
        ),
    },
    options,
  );
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
