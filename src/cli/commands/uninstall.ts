import { runUninstall } from '../../webhook/uninstall.ts';
import type { ExitCode } from '../errors.ts';
import { serveUntilAsked } from './serve.ts';

/** `kafka-warden uninstall`: takes an installation down in the safe order; configured by its environment. */
export const uninstallCommand = (): Promise<ExitCode> => serveUntilAsked(runUninstall);
