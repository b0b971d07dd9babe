import type { IncomingMessage } from 'node:http';
import { RequestError } from './errors.ts';

/** More than twice the largest object that the API server stores, since an update carries two of them. */
export const maxBodyBytes = 8 * 1024 * 1024;

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

function checkHeaders({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type))
    throw new RequestError('content-type-unsupported', `the content type is ${JSON.stringify(type)}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new RequestError('encoding-unsupported', `the body is encoded as ${JSON.stringify(encoding)}`);
  const announced = Number(headers['content-length'] ?? 0);
  if (announced > maxBodyBytes)
    throw new RequestError('body-too-large', `the body has ${mebibytes(announced)}`);
}

/**
 * The body of a review request, without a parser framework: that is half of the cost of a review. Throws
 * `RequestError` for headers that cannot be meant, and as soon as the body is larger than `maxBodyBytes`.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    checkHeaders(request);
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBodyBytes) chunks.push(chunk);
      else reject(new RequestError('body-too-large', `the body has more than ${mebibytes(maxBodyBytes)}`));
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)),
    );
    request.on('error', () =>
      reject(new RequestError('body-incomplete', `the body ended after ${length} bytes`)),
    );
  });
}
