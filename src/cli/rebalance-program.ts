import { type Command, Option } from 'commander';
import type { ExitCode } from './errors.ts';
import { balanceModes, collected, kubeconfigOption, namespaceOption } from './options.ts';
import type { Terminal } from './output/terminal.ts';

type Done = (code: ExitCode) => void;

const placed = (command: Command): Command =>
  command
    .addOption(namespaceOption('namespace of the cluster (default: that of the context)'))
    .addOption(kubeconfigOption());

const json = (): Option => new Option('--json', 'print the KafkaRebalance as JSON');

/** What is asked of a plan, wherever it comes from. */
const limited = (command: Command): Command =>
  command
    .option('--cluster <name>', 'Kafka cluster (default: the only one of the namespace)')
    .option('--name <name>', 'name of the KafkaRebalance (default: a new one)')
    .option(
      '--throttle <rate>',
      'bytes a second that a broker copies, 20M for instance (default: by its health)',
    )
    .option('--moves-per-broker <number>', 'replicas that a broker copies at a time')
    .option('--batch <bytes>', 'data that is under way at a time, 10Gi for instance')
    .option('--disk-reserve <per cent>', 'of each disk that copies leave free')
    .option('--timeout <duration>', 'how long to wait for the plan', '5m');

const addPropose = (rebalance: Command, io: Terminal, done: Done): void => {
  const propose = rebalance
    .command('propose')
    .description('have a plan made for a cluster, and show it')
    .addOption(new Option('--mode <mode>', 'what may move (default: balance)').choices([...balanceModes]))
    .option('--brokers <ids>', 'brokers to fill or to empty, comma-separated')
    .option('--tolerance <share>', 'half width of the band around the average (default: 0.08)')
    .option(
      '--trigger <share>',
      'plan only when a broker is further than this from the average (default: 0.15)',
    )
    .option('--exclude-topic <name>', 'leave this topic alone; repeatable', collected)
    .option('--exclude-broker <id>', 'put nothing on this broker; repeatable', collected)
    .option('--search <seconds>', 'how long to search (default: by the size of the cluster)')
    .option('--leader-weight <number>', 'what a changed leader costs, in copies of an average replica')
    .option('--read-rates', 'derive what consumers read from the offsets of their groups')
    .option('--no-wait', 'do not wait for the plan')
    .addOption(json())
    .addHelpText(
      'after',
      '\nExit codes: 0 a plan is proposed or nothing has to move, 2 wrong usage, no access or no plan in time, 3 refused.',
    );
  placed(limited(propose)).action(async (options: object) => {
    const { proposeCommand } = await import('./commands/rebalance-propose.ts');
    done(await proposeCommand(options, io));
  });
};

const addExecute = (rebalance: Command, io: Terminal, done: Done): void => {
  const execute = rebalance
    .command('execute')
    .description('have a plan from elsewhere checked, shown and, once approved, carried out')
    .requiredOption(
      '-f, --filename <file>',
      'plan in the format of kafka-reassign-partitions; - for standard input',
    )
    .option('--approve', 'approve it at once, after showing it')
    .option('-y, --yes', 'with --approve: do not ask')
    .addOption(json());
  placed(limited(execute)).action(async (options: { filename: string }) => {
    const { executeCommand } = await import('./commands/rebalance-execute.ts');
    done(await executeCommand(options, io));
  });
};

const addDecisions = (rebalance: Command, io: Terminal, done: Done): void => {
  placed(
    rebalance
      .command('approve')
      .description('show a proposed plan and approve exactly that plan')
      .argument('<name>')
      .option('-y, --yes', 'do not ask'),
  ).action(async (name: string, options: object) => {
    const { approveCommand } = await import('./commands/rebalance-approve.ts');
    done(await approveCommand({ ...options, name }, io));
  });
  placed(
    rebalance
      .command('stop')
      .description('end a rebalance: what is under way is taken back, what has moved stays')
      .argument('<name>'),
  ).action(async (name: string, options: object) => {
    const { stopCommand } = await import('./commands/rebalance-stop.ts');
    done(await stopCommand({ ...options, name }, io));
  });
};

const addViews = (rebalance: Command, io: Terminal, done: Done): void => {
  placed(
    rebalance
      .command('status')
      .description('show a rebalance in full')
      .argument('[name]', 'default: the one that has not ended, or the newest')
      .option('--watch', 'go on until it has ended')
      .addOption(json()),
  ).action(async (name: string | undefined, options: object) => {
    const { rebalanceStatusCommand } = await import('./commands/rebalance-status.ts');
    done(await rebalanceStatusCommand({ ...options, ...(name !== undefined && { name }) }, io));
  });
  placed(
    rebalance
      .command('list')
      .description('list the rebalances')
      .option('-A, --all-namespaces', 'of all namespaces')
      .option('--cluster <name>', 'only of this cluster')
      .addOption(json()),
  ).action(async (options: object) => {
    const { rebalanceListCommand } = await import('./commands/rebalance-list.ts');
    done(await rebalanceListCommand(options, io));
  });
};

/** `kafka-warden rebalance …`: all on KafkaRebalance objects, with the user's own rights. */
export const addRebalanceCommands = (program: Command, io: Terminal, done: Done): void => {
  const rebalance = program
    .command('rebalance')
    .description('propose, approve, watch and stop the balancing of a cluster');
  addPropose(rebalance, io, done);
  addDecisions(rebalance, io, done);
  addViews(rebalance, io, done);
  addExecute(rebalance, io, done);
};
