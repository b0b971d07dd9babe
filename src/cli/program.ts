import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { CliError, exitCodes, type ExitCode } from './errors.ts';
import { collected, kubeconfigOption, listed, namespaceOption } from './options.ts';
import { terminal, type Terminal } from './output/terminal.ts';
import { addRebalanceCommands } from './rebalance-program.ts';
import { addUpgradeCommands } from './upgrade-program.ts';

/** The package's version: from the manifest beside the sources or above the compiled program. */
const version = (): string => {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string })
        .version;
    } catch {
      continue;
    }
  }
  return 'unknown';
};

const input = (): Option =>
  new Option(
    '-f, --filename <file>',
    'manifest, directory of manifests, or - for standard input; repeatable',
  ).argParser(collected);

const recursiveOption = (): Option =>
  new Option('-R, --recursive', 'look into the subdirectories of a directory too');

const modeOption = (): Option =>
  new Option(
    '--mode <mode>',
    'what to do about explicit unsafe values; an annotation on the object wins',
  ).choices(['audit', 'harden', 'strict']);

const outputOption = (...choices: string[]): Option =>
  new Option('-o, --output <format>', 'format').choices(choices);

type Done = (code: ExitCode) => void;

/** Commands on manifests: offline, and light to load. */
const addManifestCommands = (program: Command, io: Terminal, done: Done): void => {
  const where = 'namespace of objects that name none (default: default)';
  program
    .command('harden')
    .description('print manifests with their Kafka StatefulSets hardened')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption(where))
    .addOption(modeOption().default('harden'))
    .option('--strict', 'the same as --mode strict: refuse explicit unsafe values')
    .addOption(new Option('--diff', 'print a unified diff instead').conflicts('output'))
    .addOption(outputOption('yaml', 'json', 'json-patch'))
    .option('-q, --quiet', 'say only what is refused')
    .addHelpText(
      'after',
      '\nExit codes: 0 hardened or nothing to do, 2 unreadable input, 3 something is refused (nothing is printed).',
    )
    .action(async (options: { filename?: string[] }) => {
      const { hardenCommand } = await import('./commands/harden.ts');
      done(hardenCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('unharden')
    .description('print hardened manifests as their authors wrote them')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(new Option('--diff', 'print a unified diff instead').conflicts('output'))
    .addOption(outputOption('yaml', 'json'))
    .action(async (options: { filename?: string[] }) => {
      const { unhardenCommand } = await import('./commands/unharden.ts');
      done(unhardenCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('lint')
    .description('list what is unsafe or wrong in a set of manifests, all files together')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption(where))
    .addOption(modeOption())
    .addOption(outputOption('text', 'json'))
    .addHelpText('after', '\nExit codes: 0 no errors, 1 a finding is an error, 2 unreadable input.')
    .action(async (options: { filename?: string[] }) => {
      const { lintCommand } = await import('./commands/lint.ts');
      done(lintCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('explain')
    .description('say what a rule wants and why; without a name, list all rules')
    .argument('[rule]')
    .addOption(outputOption('text', 'json'))
    .action(async (rule: string | undefined, options: { output?: 'text' | 'json' }) => {
      const { explainCommand } = await import('./commands/explain.ts');
      done(explainCommand({ ...options, ...(rule !== undefined && { rule }) }, io));
    });
};

const addPlanCommand = (program: Command, io: Terminal, done: Done): void => {
  program
    .command('plan')
    .description('plan the balancing of a cluster from a model of it, with least data moved')
    .option('--model <file>', 'the cluster model, JSON or gzipped JSON; - for standard input')
    .option('--cluster <name>', 'instead of a model: measure this running cluster')
    .addOption(namespaceOption('with --cluster: its namespace (default: that of the context)'))
    .addOption(kubeconfigOption())
    .option('--save-model <file>', 'with --cluster: keep the model, gzipped where the name ends in .gz')
    .addOption(
      new Option('--mode <mode>', 'what may move').choices([
        'balance',
        'add-brokers',
        'remove-brokers',
        'leaders',
        'light',
      ]),
    )
    .option(
      '--brokers <ids>',
      'brokers to fill or to empty in mode add-brokers or remove-brokers, as 4,5',
      listed,
    )
    .option('--tolerance <share>', 'half width of the band around the average (default: 0.08)')
    .option(
      '--trigger <share>',
      'plan only when a broker is further than this from the average (default: 0.15; 0 when --tolerance is given)',
    )
    .option('--budget <duration>', 'how long to search (default: 5s to 60s, by the size of the cluster)')
    .option('--steps <number>', 'search that many steps instead: the same plan on every machine')
    .option('--seed <number>', 'seed of the search')
    .option(
      '--leader-weight <number>',
      'what a changed leader costs, in copies of an average replica: 0 for least data, 0.5 for few changes (default: 0.025)',
    )
    .option('--exclude-topic <name>', 'leave this topic alone; repeatable', collected)
    .option('--exclude-broker <id>', 'put nothing on this broker; repeatable', collected)
    .option('--output <file>', 'where to write the plan, in the format of kafka-reassign-partitions')
    .option('--html <file>', 'write a report with pictures')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all brokers within the band or nothing to do, 1 some are not, 2 unreadable input.',
    )
    .action(async (options: object) => {
      const { planCommand } = await import('./commands/plan.ts');
      done(await planCommand(options, io));
    });
};

const addClusterCommands = (program: Command, io: Terminal, done: Done): void => {
  program
    .command('adopt')
    .description('plan how a running plaintext cluster comes under hardening, stage by stage')
    .argument('[name]', 'StatefulSet in the cluster, or in the input of -f')
    .option('--plan', 'print the stages; nothing is changed')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption('namespace of the StatefulSet'))
    .addOption(outputOption('text', 'json', 'yaml'))
    .addOption(kubeconfigOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 a plan is printed, 2 wrong usage or no access, 3 a set cannot be adopted, with the reason.',
    )
    .action(async (name: string | undefined, options: object) => {
      const { adoptCommand } = await import('./commands/adopt.ts');
      done(await adoptCommand({ ...options, ...(name !== undefined && { name }) }, io));
    });
  program
    .command('status')
    .description('show the Kafka clusters in the care of kafka-warden')
    .addOption(namespaceOption('namespace to look in (default: that of the context)'))
    .option('-A, --all-namespaces', 'look in all namespaces')
    .option('--cluster <name>', 'only this cluster')
    .option('--json', 'print the KafkaCluster objects')
    .addOption(kubeconfigOption())
    .action(async (options: object) => {
      const { statusCommand } = await import('./commands/status.ts');
      done(await statusCommand(options, io));
    });
  program
    .command('profile')
    .description('work with pinned profile versions')
    .command('upgrade')
    .description('move a hardened StatefulSet to a newer profile version, which starts a rolling update')
    .argument('[target]', 'statefulset/NAME in the cluster')
    .addOption(input())
    .addOption(namespaceOption('namespace of the StatefulSet'))
    .option('--to <profile>', 'profile version (default: the newest)')
    .option('--diff', 'with -f: print a unified diff instead')
    .option('-y, --yes', 'do not ask')
    .addOption(kubeconfigOption())
    .action(async (target: string | undefined, options: object) => {
      const { profileUpgradeCommand } = await import('./commands/profile-upgrade.ts');
      done(await profileUpgradeCommand({ ...options, ...(target !== undefined && { target }) }, io));
    });
};

const addGateCommands = (program: Command, io: Terminal, done: Done): void => {
  const gate = program.command('gate').description('see what may be evicted, and what waits for what');
  gate
    .command('status')
    .description('show who is away or may go, the disruption budget and the conditions of a cluster')
    .addOption(namespaceOption('namespace to look in (default: that of the context)'))
    .option('-A, --all-namespaces', 'look in all namespaces')
    .option('--cluster <name>', 'only this cluster')
    .option('--json', 'print it as JSON')
    .addOption(kubeconfigOption())
    .action(async (options: object) => {
      const { gateStatusCommand } = await import('./commands/gate-status.ts');
      done(await gateStatusCommand(options, io));
    });
  gate
    .command('check')
    .description('ask whether a pod could be evicted now, by a dry run of the eviction')
    .argument('<pod>')
    .addOption(namespaceOption('namespace of the pod (default: that of the context)'))
    .option('--json', 'print the answer as JSON')
    .addOption(kubeconfigOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 it could, 2 there is no such pod or no access, 3 it would be refused, with the reason.',
    )
    .action(async (pod: string, options: object) => {
      const { gateCheckCommand } = await import('./commands/gate-check.ts');
      done(await gateCheckCommand({ ...options, pod }, io));
    });
};

/** What the Helm chart and the webhook start; nobody types these. */
const addServers = (program: Command, done: Done): void => {
  program
    .command('webhook')
    .description('run the admission webhook (started by the Helm chart)')
    .action(async () => {
      const { webhookCommand } = await import('./commands/webhook.ts');
      done(await webhookCommand());
    });
  program
    .command('sidecar')
    .description('run the sidecar of one Kafka cluster (started by the webhook)')
    .action(async () => {
      const { sidecarCommand } = await import('./commands/sidecar.ts');
      done(await sidecarCommand());
    });
  program
    .command('uninstall')
    .description('say farewell to all clusters and remove what runs (started by helm uninstall)')
    .action(async () => {
      const { uninstallCommand } = await import('./commands/uninstall.ts');
      done(await uninstallCommand());
    });
};

/** The program's name: `kubectl kafka-warden` where kubectl has started it as a plugin. */
const programName = (): string =>
  /(?:^|[/\\])kubectl-kafka_warden$/.test(process.argv[1] ?? '') ? 'kubectl kafka-warden' : 'kafka-warden';

const programFor = (io: Terminal, done: Done): Command => {
  const program = new Command(programName())
    .description('Hardens plain Kafka StatefulSets and keeps their clusters secure.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride();
  addManifestCommands(program, io, done);
  addPlanCommand(program, io, done);
  addClusterCommands(program, io, done);
  addRebalanceCommands(program, io, done);
  addGateCommands(program, io, done);
  addUpgradeCommands(program, io, done);
  addServers(program, done);
  return program;
};

/** What a thrown value is to the person at the terminal. */
const failure = (error: unknown, io: Terminal): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CliError) {
    io.err(`${io.paint('err', 'red', 'error')}: ${error.message}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (process.env['DEBUG'] ? error.stack : error.message) : String(error);
  io.err(`${io.paint('err', 'red', 'error')}: ${text ?? ''}\n`);
  return exitCodes.usage;
};

/** Runs the command line `args`. Returns the exit code; never throws. */
export const run = async (args: readonly string[], io: Terminal = terminal()): Promise<ExitCode> => {
  let code: ExitCode = exitCodes.ok;
  try {
    await programFor(io, (result) => (code = result)).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, io);
  }
};
