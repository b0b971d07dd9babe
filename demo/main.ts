/**
 * `npm run demo`: a plain Kafka in, a safe one out, on a real Kubernetes that is started for it and removed afterwards.
 * `--keep` leaves everything up; KUBECONFIG names a cluster to use instead.
 */
import { readFileSync } from 'node:fs';
import { startCluster, stopCluster } from '../test/cluster/index.ts';
import { show } from './narrate.ts';
import { demonstrate } from './steps.ts';

const keep = process.argv.includes('--keep');
const unknown = process.argv.slice(2).filter((argument) => argument !== '--keep');
if (unknown.length > 0) {
  process.stderr.write(`demo: there is no option ${unknown.join(' ')}; the only one is --keep\n`);
  process.exit(2);
}

const name = 'demo';
const external = (process.env['KUBECONFIG'] ?? '') !== '';
show.title('kafka-warden: a plain Kafka becomes a safe one');
show.step(
  'A Kubernetes cluster of three nodes',
  external ? 'the one that KUBECONFIG names' : 'real kubelets and containerds on this machine',
);
const cluster = await startCluster({ name, nodes: 3, standing: keep });
let failed = false;
try {
  await demonstrate(cluster, {
    kafka: readFileSync(new URL('kafka.yaml', import.meta.url), 'utf8'),
    user: readFileSync(new URL('user.yaml', import.meta.url), 'utf8'),
  });
} catch (error) {
  failed = true;
  show.failure(error);
} finally {
  if (keep) {
    show.note(
      `Everything is left up. Look around with:\n  export KUBECONFIG=${cluster.kubeconfig}\n  kubectl -n demo get kafkaclusters,pods`,
    );
    if (!external) show.note(`Remove it with: npm run cluster -- down --name ${name}`);
  } else {
    show.step('Removing everything');
    await cluster[Symbol.asyncDispose]();
    if (!external) await stopCluster(name);
  }
}
process.exit(failed ? 1 : 0);
