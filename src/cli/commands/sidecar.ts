import { runSidecar } from '../../sidecar/main.ts';
import type { ExitCode } from '../errors.ts';
import { serveUntilAsked } from './serve.ts';

/** `kafka-warden sidecar`: looks after one Kafka cluster; configured by its environment. */
export const sidecarCommand = (): Promise<ExitCode> => serveUntilAsked(runSidecar);
