import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { groupEntry } from './cgroups.ts';

/** When a process started, in clock ticks since boot: with its id it names a process for good. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The state of a process: one letter, such as `R`, or `T` where it is stopped; nothing where it has ended. */
export function stateOf(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status.charAt(status.lastIndexOf(')') + 2);
  } catch {
    return undefined;
  }
}

/** A process, its parent, and so on. */
export function ancestorsOf(pid: number): number[] {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    return parent > 0 ? [pid, ...ancestorsOf(parent)] : [pid];
  } catch {
    return [pid];
  }
}

/** Whether the process that had this id and start time still runs. */
export function isAlive(pid: number, startTime: string | undefined): boolean {
  const found = startTimeOf(pid);
  return found !== undefined && (startTime === undefined || startTime === '' || found === startTime);
}

export interface Background {
  /** The control group that the process and all its children are born into. */
  group: string;
  logFile: string;
  env?: Record<string, string> | undefined;
}

/** Starts a program that outlives this process, in a session and a control group of its own. */
export function startInBackground(command: string, args: readonly string[], options: Background): void {
  const log = openSync(options.logFile, 'a');
  const enter = groupEntry(options.group).map((file) => `echo $$ > ${file}`);
  const child = spawn('bash', ['-c', [...enter, 'exec "$@"'].join(' && '), 'start', command, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(log);
}
