import { run } from 'node:test';

/** How long one test file may take before its process is ended. */
const fileTimeoutMs = Number(process.env['TEST_FILE_TIMEOUT_MS'] ?? 15 * 60_000);

/** One finished test, as a reporter and the results need it. */
export interface TestEnd {
  readonly name: string;
  /** 0 for a test that stands in no other. */
  readonly nesting: number;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly suite: boolean;
  readonly durationMs: number;
  /** The reason given for a skip, where there is one. */
  readonly reason?: string;
  readonly error?: unknown;
  readonly line?: number;
  /** What the test said about itself (`t.diagnostic`): figures, for the most part. */
  readonly notes?: readonly string[];
}

/** Node's own counts for a run. */
export interface Counts {
  tests: number;
  suites: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** One test file after its process ended. */
export interface FileRun {
  readonly file: string;
  readonly ok: boolean;
  readonly durationMs: number;
  readonly counts: Counts;
  readonly tests: readonly TestEnd[];
}

/** Told what happens in one file's process while it runs. */
export interface Listener {
  test(file: string, end: TestEnd): void;
  output(file: string, text: string): void;
  end(run: FileRun): void;
}

interface TestEvent {
  readonly name: string;
  readonly nesting: number;
  readonly line?: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: { readonly duration_ms: number; readonly type?: string; readonly error?: unknown };
}

interface Said {
  readonly message: string;
  readonly nesting: number;
  readonly file?: string;
}

type RunnerEvent =
  | { readonly type: 'test:dequeue' | 'test:pass' | 'test:fail'; readonly data: TestEvent }
  | { readonly type: 'test:diagnostic'; readonly data: Said }
  | { readonly type: 'test:stdout' | 'test:stderr'; readonly data: { readonly message: string } }
  | {
      readonly type: 'test:summary';
      readonly data: { readonly success: boolean; readonly counts: Partial<Counts>; readonly file?: string };
    };

const outcomeOf = (event: TestEvent, passed: boolean): TestEnd['outcome'] => {
  if (event.skip !== undefined && event.skip !== false) return 'skipped';
  if (event.todo !== undefined && event.todo !== false) return 'todo';
  return passed ? 'passed' : 'failed';
};

const testEnd = (event: TestEvent, passed: boolean): TestEnd => ({
  name: event.name,
  nesting: event.nesting,
  outcome: outcomeOf(event, passed),
  suite: event.details.type === 'suite',
  durationMs: event.details.duration_ms,
  ...(typeof event.skip === 'string' && event.skip !== '' && { reason: event.skip }),
  ...(event.line !== undefined && { line: event.line }),
  ...(!passed && { error: event.details.error }),
});

const none: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };

/**
 * Runs one test file in a process of its own with Node's test runner. A process that is still there after 15
 * minutes (`TEST_FILE_TIMEOUT_MS`) is ended and counted as cancelled, with the test that it stood in.
 */
export const execute = async (file: string, listener: Listener): Promise<FileRun> => {
  const stop = new AbortController();
  let current = file;
  const timer = setTimeout(() => {
    stop.abort(
      new Error(
        `The file's process was ended after ${fileTimeoutMs / 1000} s (TEST_FILE_TIMEOUT_MS); last begun: ${current}`,
      ),
    );
  }, fileTimeoutMs);
  const started = performance.now();
  const tests: TestEnd[] = [];
  let counts = none;
  let ok = false;
  const finished = (data: TestEvent, passed: boolean) => {
    const end = testEnd(data, passed);
    tests.push(end);
    listener.test(file, end);
  };
  // Node tells them after the test's end. Those without a file are its own totals.
  const noted = ({ message, nesting, file: of }: Said) => {
    const last = tests.at(-1);
    if (of === undefined || last?.nesting !== nesting) return;
    tests.splice(-1, 1, { ...last, notes: [...(last.notes ?? []), message] });
  };
  const events = run({ files: [file], concurrency: 1, signal: stop.signal }) as AsyncIterable<RunnerEvent>;
  for await (const { type, data } of events) {
    if (type === 'test:dequeue') current = data.name;
    else if (type === 'test:pass') finished(data, true);
    else if (type === 'test:fail') finished(data, false);
    else if (type === 'test:diagnostic') noted(data);
    else if (type === 'test:stdout' || type === 'test:stderr') listener.output(file, data.message);
    else if (type === 'test:summary' && data.file === undefined) {
      counts = { ...none, ...data.counts };
      ok = data.success;
    }
  }
  clearTimeout(timer);
  const done = { file, ok, durationMs: performance.now() - started, counts, tests };
  listener.end(done);
  return done;
};
