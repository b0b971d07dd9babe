import { runWebhook } from '../../webhook/main.ts';
import type { ExitCode } from '../errors.ts';
import { serveUntilAsked } from './serve.ts';

/** `kafka-warden webhook`: answers admission reviews; configured by its environment. */
export const webhookCommand = (): Promise<ExitCode> => serveUntilAsked(runWebhook);
