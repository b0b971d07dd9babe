import { setTimeout as pause } from 'node:timers/promises';
import type { Balanced } from './balanced.ts';
import { until } from './until.ts';

export interface Killing {
  /** Of the KafkaRebalance, which is being carried out. */
  readonly name: string;
  readonly kills: number;
  readonly tell: (line: string) => void;
}

/** Every so many kills one strikes a sidecar that has not begun to go on yet. */
const early = 5;
const longestMs = 5_000;

/**
 * Kills the sidecar's process again and again at random moments while it carries out a plan, each time after the one before has
 * been resumed, or, every fifth time, while it is starting. Returns how often it was killed with the plan under way and how
 * often a sidecar said that it goes on.
 */
export async function killAgainAndAgain(
  balanced: Balanced,
  { name, kills, tell }: Killing,
): Promise<{ kills: number; resumed: number }> {
  const { kubectl, rebalance, sidecar, killSidecar } = balanced;
  const phase = async () => (await rebalance(name)).status?.phase;
  let [done, resumed] = [0, 0];
  while (done < kills) {
    await pause(Math.random() * longestMs);
    const { status } = await rebalance(name);
    if (status?.phase !== 'Executing') break;
    await killSidecar();
    done += 1;
    tell(
      `kill ${done} at ${status.progress?.summary ?? 'its begin'}, ${status.progress?.underWay ?? 0} copies under way`,
    );
    if (done % early === 0 && done < kills) continue;
    const goesOn = await until('the next sidecar goes on', async () => {
      const log = await kubectl('logs', await sidecar());
      return log.includes('"rebalance-resumed"') ? 'resumed' : (await phase()) !== 'Executing' && 'ended';
    });
    if (goesOn === 'resumed') resumed += 1;
  }
  return { kills: done, resumed };
}
