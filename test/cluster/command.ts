import { spawn } from 'node:child_process';
import { ClusterError } from './errors.ts';

export interface RunOptions {
  /** Text for the command's standard input; none closes it. */
  input?: string | undefined;
  cwd?: string | undefined;
  /** Variables added to this process's environment. */
  env?: Record<string, string> | undefined;
  timeoutMs?: number | undefined;
  /** Called with each piece of standard output as it arrives. */
  onOutput?: ((text: string) => void) | undefined;
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, whatever its exit code (a signal counts as 128). Throws where it cannot be started. */
export function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', (cause) =>
      reject(
        new ClusterError('COMMAND_MISSING', `${command} cannot be started: ${cause.message}.`, { cause }),
      ),
    );
    child.once('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}

/** Runs a command and returns its standard output. Throws `COMMAND_FAILED` with its standard error otherwise. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, args, options);
  if (code === 0) return stdout;
  const said = stderr.trim() === '' ? stdout.trim() : stderr.trim();
  throw new ClusterError(
    'COMMAND_FAILED',
    `${[command, ...args].join(' ').slice(0, 400)} ended with ${code}: ${said.slice(-4000)}`,
  );
}

/** Runs a shell script with `set -e`; arguments arrive as `$1`…. */
export function script(
  text: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<string> {
  return run('bash', ['-euo', 'pipefail', '-c', text, 'script', ...args], options);
}
