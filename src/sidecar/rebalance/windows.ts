import { type WindowSpec, weekdays } from './kafka-rebalance.ts';

/** A day of the calendar, by its number since 1970. */
type Day = number;

const dayMs = 86_400_000;
const minuteMs = 60_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws `RangeError` for a time zone that is not known. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const fields = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  } as const;
  const made = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...fields, second: '2-digit' });
  formats.set(timeZone, made);
  return made;
}

/** Whether this machine knows the time zone. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return formatOf(timeZone) !== undefined;
  } catch {
    return false;
  }
}

/** What the clock on the wall shows, in milliseconds as if it were UTC. */
function wallMs(instantMs: number, timeZone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instantMs)) part[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * The instant at which a clock on the wall shows this time: the first one where it does so twice, and as much later as
 * the clock was put forward where it never does.
 */
function instantMs(wall: number, timeZone: string): number {
  const offsets = [wall - dayMs, wall + dayMs].map((near) => wallMs(near, timeZone) - near);
  const candidates = offsets.map((offset) => wall - offset).sort((a, b) => a - b);
  const [earlier = wall, later = wall] = candidates;
  return candidates.find((candidate) => wallMs(candidate, timeZone) === wall) ?? Math.max(earlier, later);
}

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return 60 * hours + minutes;
};

/** 1 January 1970 was a Thursday. */
const weekdayOf = (day: Day) => weekdays[(((day + 3) % 7) + 7) % 7];

interface Opening {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When the window that opens on this day is open; undefined where it does not open on that day of the week. */
function openingOn(day: Day, { from, to, timeZone = 'UTC', days }: WindowSpec): Opening | undefined {
  const weekday = weekdayOf(day);
  if (days !== undefined && !days.some((one) => one === weekday)) return undefined;
  const [opens, closes] = [minutesOf(from), minutesOf(to)];
  const at = (minutes: number) => instantMs(day * dayMs + minutes * minuteMs, timeZone);
  return { fromMs: at(opens), toMs: at(closes > opens ? closes : closes + 24 * 60) };
}

export type WindowsNow =
  | { readonly open: true; readonly untilMs: number }
  /** `opensAtMs` is absent where none opens within eight days. */
  | { readonly open: false; readonly opensAtMs?: number };

/** Whether any of the windows is open; where several are, until the last one closes. */
export function windowsAt(windows: readonly WindowSpec[], now: Date): WindowsNow {
  const nowMs = now.getTime();
  let untilMs = -Infinity;
  let opensAtMs = Infinity;
  for (const window of windows) {
    const today = Math.floor(wallMs(nowMs, window.timeZone ?? 'UTC') / dayMs);
    for (let day = today - 1; day <= today + 8; day += 1) {
      const opening = openingOn(day, window);
      if (opening === undefined || opening.toMs <= opening.fromMs) continue;
      if (opening.fromMs <= nowMs && nowMs < opening.toMs) untilMs = Math.max(untilMs, opening.toMs);
      else if (opening.fromMs > nowMs) opensAtMs = Math.min(opensAtMs, opening.fromMs);
    }
  }
  if (untilMs > nowMs) return { open: true, untilMs };
  return opensAtMs < Infinity ? { open: false, opensAtMs } : { open: false };
}
