const started = performance.now();
const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;
const print = (text: string) => process.stdout.write(`${text}\n`);

/** How the demo speaks: numbered steps with the time since the start, what was seen, and how to look closer. */
export const show = {
  title: (text: string) => print(`\n${bold(text)}\n`),
  step: (text: string, detail?: string) =>
    print(`${seconds()}  ${bold(text)}${detail === undefined ? '' : `: ${detail}`}`),
  seen: (text: string) => print(`        ✓ ${text}`),
  output: (text: string) =>
    print(
      text
        .trimEnd()
        .split('\n')
        .map((line) => `        | ${line}`)
        .join('\n'),
    ),
  closer: (command: string) => print(`        look closer: ${command}`),
  note: (text: string) => print(`\n${text}`),
  failure: (error: unknown) => print(`\n        ✗ ${error instanceof Error ? error.message : String(error)}`),
};

/** Throws with a sentence where something that the demo claims is not so. */
export function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(`this should have been so, and was not: ${sentence}`);
  show.seen(sentence);
}
