import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { defaultName, clusterUnavailable, runningCluster, startCluster, stopCluster } from './index.ts';
import { clusterNames, findLayout } from './layout.ts';
import { isLeftBehind, readState } from './state.ts';

const usage = `npm run cluster -- COMMAND [--name NAME] [--nodes 1…6]

  build        build what is not in the cache yet
  up           start a cluster that stands until \`down\`; nothing where it stands already
  down         end and remove it
  status       list all clusters
  kubeconfig   print the path of its kubeconfig
  load-image   build kafka-warden's image from this checkout and put it on all nodes
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', default: defaultName }, nodes: { type: 'string', default: '3' } },
});
const { name } = values;

const commands: Record<string, () => Promise<void>> = {
  async build() {
    const startedAt = performance.now();
    await build();
    console.error(`everything is built, in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  },
  async up() {
    const cluster = await startCluster({ name, nodes: Number(values.nodes), standing: true });
    console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
    console.log(`kubectl: ${cluster.programs.kubectl}\nhelm:    ${cluster.programs.helm}`);
  },
  async down() {
    await stopCluster(name);
  },
  async status() {
    for (const known of await clusterNames()) console.log(await describe(known));
  },
  async kubeconfig() {
    console.log((await runningCluster(name)).kubeconfig);
  },
  async 'load-image'() {
    await (await runningCluster(name)).loadImage();
  },
};

async function describe(known: string): Promise<string> {
  const layout = await findLayout(known);
  const state = layout === undefined ? undefined : await readState(layout);
  if (layout === undefined || state === undefined) return `${known}: starting, or left behind`;
  if (isLeftBehind(layout, state))
    return `${known}: left behind; the next start of this name, or "down", removes it`;
  const owner = state.owner === undefined ? 'standing' : `of process ${state.owner.pid}`;
  return `${known}: ${owner}, nodes ${state.nodes.join(' ')} (reachable ${state.reachable.join(' ')}), ${layout.kubeconfig}`;
}

const command = commands[positionals[0] ?? ''];
const unavailable = clusterUnavailable();
if (command === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else if (unavailable !== undefined) {
  console.error(`No cluster here: ${unavailable}.`);
  process.exitCode = 1;
} else {
  delete process.env['KUBECONFIG'];
  await command().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
