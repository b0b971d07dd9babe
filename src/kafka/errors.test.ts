import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetworkError, ProtocolError, ResponseError, TimeoutError } from '@platformatic/kafka';
import { KafkaError, asKafkaError } from './errors.ts';

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

test('a refusal of Kafka keeps its name and its words', () => {
  const refused = asKafkaError(
    new ResponseError(51, 0, { '/': [58, 'no such user'] }, {}),
    'AlterUserScramCredentials',
  );
  assert.equal(refused.code, 'kafka-refused');
  assert.equal(refused.reason, 'SASL_AUTHENTICATION_FAILED');
  assert.match(refused.message, /no such user/);
});

test('a missing right is told apart', () => {
  const error = asKafkaError(new ProtocolError('CLUSTER_AUTHORIZATION_FAILED'), 'DescribeAcls');
  assert.equal(error.code, 'kafka-unauthorized');
  assert.match(error.message, /super user/);
});

test('time-outs, handshakes and refused connections each have their code, and may pass later', () => {
  const cases = [
    [new TimeoutError('x'), 'kafka-timeout'],
    [new NetworkError('x', { cause: coded('ETIMEDOUT', 'connect ETIMEDOUT') }), 'kafka-timeout'],
    [new NetworkError('x', { cause: coded('ERR_TLS_CERT_ALTNAME_INVALID', 'names') }), 'kafka-tls'],
    [new NetworkError('x', { cause: coded('CERT_HAS_EXPIRED', 'certificate has expired') }), 'kafka-tls'],
    [new NetworkError('x', { cause: coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'alert') }), 'kafka-tls'],
    [new NetworkError('x', { cause: coded('ECONNREFUSED', 'connect ECONNREFUSED') }), 'kafka-unreachable'],
    [new Error('anything'), 'kafka-unreachable'],
  ] as const;
  for (const [error, code] of cases) {
    const mapped = asKafkaError(error, 'The call');
    assert.equal(mapped.code, code);
    assert.equal(mapped.mayPassLater, true);
    assert.equal(mapped.reason, undefined);
  }
});

test('OpenSSL’s line is cut to what it says', () => {
  const alert = coded(
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    '401D:error:0A000416:SSL routines:ssl3_read_bytes:ssl/tls alert unknown ca:../rec_layer_s3.c:918:SSL alert number 48\n',
  );
  assert.match(asKafkaError(alert, 'The call').problem, /: ssl\/tls alert unknown ca$/);
});

test('one of our own errors stays as it is', () => {
  const own = new KafkaError('kafka-closed', 'It was closed');
  assert.equal(asKafkaError(own, 'The call'), own);
});
