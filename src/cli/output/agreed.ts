import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Asks a person for a yes; without one at a terminal the answer is no. Says so where nothing is changed then. */
export const agreed = async (question: string, terminal: Terminal): Promise<boolean> => {
  if (!process.stdin.isTTY) return false;
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await questions.question(`${question} [y/N] `);
  questions.close();
  if (/^y(es)?$/i.test(answer.trim())) return true;
  terminal.err('Nothing was changed.\n');
  return false;
};
