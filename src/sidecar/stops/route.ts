import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stops } from './index.ts';

const pattern = /^\/v1\/stops\/([a-z0-9.-]{1,253})\?uid=([A-Za-z0-9-]{1,64})$/;

/**
 * `GET /v1/stops/POD?uid=UID`: a line that begins with `yes` or `wait`, in plain text, as a shell without any program of its
 * own can read it. Returns whether the request was one of these. `stops` is left out while this process does not act for the
 * cluster: then nobody knows.
 */
export function answerStop(
  stops: Stops | undefined,
  { url = '', method }: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (!url.startsWith('/v1/stops/')) return false;
  const send = (status: number, line: string) =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${line}\n`);
  const [, pod, uid] = pattern.exec(url) ?? [];
  if (method !== 'GET') send(405, 'only GET is answered here');
  else if (pod === undefined || uid === undefined) send(404, 'ask for /v1/stops/POD?uid=UID');
  else if (stops === undefined) send(503, 'this process does not act for the cluster now');
  else
    void stops.answer(pod, uid).then(
      (said) => {
        if (said === undefined) send(404, 'the cluster has no such pod');
        else send(200, `${said.answer === 'stop' ? 'yes' : 'wait'} ${said.why}`);
      },
      () => send(500, 'failed'),
    );
  return true;
}
