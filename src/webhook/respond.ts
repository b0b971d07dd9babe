import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../kubernetes/object.ts';
import { readBody } from './body.ts';
import { RequestError } from './errors.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Question } from './questions.ts';
import { envelope, type Answer } from './response.ts';
import { decodeReview, type Review } from './review.ts';

export interface Surroundings {
  log: Log;
  metrics: WebhookMetrics;
}

/** Sends JSON; a response whose connection is already gone is let go. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

/** Answers a request that is no review; closes the connection where a body is still on its way. */
export function sendError(response: ServerResponse, error: RequestError): void {
  const { code, message, remedy, uid } = error;
  if (!response.req.complete) response.setHeader('connection', 'close');
  sendJson(response, error.status, { code, message, remedy, ...(uid === undefined ? {} : { uid }) });
}

const failed = (review: Review, { onFailure }: Question): Answer => ({
  allowed: false,
  ...(onFailure === 'later'
    ? { code: 429, reason: 'TooManyRequests' }
    : { code: 500, reason: 'InternalError' }),
  message: `kafka-warden failed to judge ${review.kind} ${review.namespace}/${review.name}; its log has the cause under request uid ${review.uid}`,
  audit: { decision: 'failed' },
});

function tell(
  review: Review,
  answer: Answer,
  { log, metrics, question }: Surroundings & { question: Question },
) {
  const { operation, uid, namespace, name, kind, dryRun } = review;
  const decision = answer.audit?.['decision'] ?? (answer.allowed ? 'allowed' : 'denied');
  metrics.reviews.inc({ question: question.path, operation, decision });
  const fields = { uid, operation, kind, namespace, name, dryRun, decision };
  if (!answer.allowed) return log.info({ ...fields, code: answer.code }, 'review denied');
  const { patch = [] } = answer;
  if (patch.length === 0) return log.debug(fields, 'review answered');
  if (!dryRun) for (const { rule } of patch) metrics.rules.inc({ rule });
  log.info({ ...fields, rules: [...new Set(patch.map(({ rule }) => rule))] }, 'review patched');
}

async function judged(
  review: Review,
  question: Question,
  { log }: Surroundings,
): Promise<Answer | undefined> {
  try {
    return await question.answer(review);
  } catch (error) {
    log.error({ uid: review.uid, question: question.path, err: error }, 'a handler failed');
    return undefined;
  }
}

/** Reads, decides, answers. Never throws: what is wrong with the request or in a handler is told in the answer. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  question: Question,
  around: Surroundings,
): Promise<void> {
  try {
    const bytes = await readBody(request);
    const startedAt = performance.now();
    const review = decodeReview(bytes);
    const judgement = await judged(review, question, around);
    const answer = judgement ?? failed(review, question);
    const status = judgement || question.onFailure !== 'fail' ? 200 : 500;
    sendJson(response, status, envelope(review.uid, answer));
    around.metrics.duration.observe({ question: question.path }, (performance.now() - startedAt) / 1_000);
    tell(review, answer, { ...around, question });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    around.metrics.badRequests.inc({ code: error.code });
    around.log.warn({ code: error.code, uid: error.uid, question: question.path }, error.message);
    sendError(response, error);
  }
}
