/** What the program's exit codes mean. */
export const exitCodes = { ok: 0, findings: 1, usage: 2, refused: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Every error that a person can meet, with its exit code. The codes are stable; scripts may match on them. */
const catalogue = {
  'no-input': exitCodes.usage,
  'unreadable-file': exitCodes.usage,
  'not-text': exitCodes.usage,
  'invalid-yaml': exitCodes.usage,
  'helm-template': exitCodes.usage,
  'invalid-object': exitCodes.usage,
  'namespace-conflict': exitCodes.usage,
  usage: exitCodes.usage,
  'unknown-rule': exitCodes.usage,
  refused: exitCodes.refused,
  'not-hardened': exitCodes.usage,
  'unknown-profile': exitCodes.usage,
  'not-found': exitCodes.usage,
  'no-cluster-access': exitCodes.usage,
  'not-installed': exitCodes.usage,
  'not-in-time': exitCodes.usage,
  'runtime-too-old': exitCodes.usage,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof catalogue;

/** Where in the input an error lies, as far as it is known. Lines and documents count from 1. */
export interface Place {
  readonly file: string;
  readonly document?: number;
  readonly line?: number;
}

/** `kafka.yaml, document 2, line 14`. */
export const placeText = ({ file, document, line }: Place): string =>
  [
    file,
    ...(document === undefined ? [] : [`document ${document}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ].join(', ');

/** An error with a sentence for the person at the terminal: what is wrong, where, and what to do about it. */
export class CliError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;

  constructor(code: ErrorCode, message: string, place?: Place) {
    super(place === undefined ? message : `${placeText(place)}: ${message}`);
    this.name = 'CliError';
    this.code = code;
    this.exitCode = catalogue[code];
  }
}
