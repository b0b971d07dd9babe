import { runUninstall } from '../../webhook/uninstall.ts';
import type { ExitCode } from '../errors.ts';
import { serveUntilAsked } from './serve.ts';

/** `kafka-warden uninstall`: removes what kafka-warden runs, in the safe order; the chart's pre-delete job. */
export const uninstallCommand = (): Promise<ExitCode> => serveUntilAsked(runUninstall);
