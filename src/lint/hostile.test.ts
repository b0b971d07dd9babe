import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostileTexts, inheritedNames, quickly } from '../hardening/test/hostile.ts';
import type { JsonObject } from '../hardening/tree.ts';
import { secretsIn } from './rules/secrets.ts';
import { parseProperties } from './properties.ts';
import { configMap, findingsOf, headless, service, set } from './test/objects.ts';

/** Objects with a text in one of the places that only the linter looks into. */
const places: Record<string, (text: string) => JsonObject[]> = {
  'a properties file': (text) => [
    configMap('config', { 'server.properties': `log.dirs=/data\nssl.keystore.password=${text}` }),
    set({
      container: {
        command: ['kafka-server-start.sh', '/config/server.properties'],
        volumeMounts: [{ name: 'config', mountPath: '/config' }],
      },
      pod: { volumes: [{ name: 'config', configMap: { name: 'config' } }] },
    }),
  ],
  'the image of something else': (text) => [set({ image: text }), set({ image: `corp/a:${text}` })],
  'a Service': (text) => [
    service(text, { externalName: text, loadBalancerIP: text, selector: { app: text } }),
    headless(text),
    set({ spec: { serviceName: text } }),
  ],
  'a command beside': (text) => [set({ after: [{ name: 'a', image: 'b', command: ['sh', '-c', text] }] })],
  'a probe': (text) => [set({ container: { livenessProbe: { exec: { command: ['sh', '-c', text] } } } })],
  variables: (text) => [
    set({ env: { KAFKA_OPTS: text, KAFKA_JMX_OPTS: text, KAFKA_ADVERTISED_LISTENERS: text } }),
  ],
};

describe('texts that slow patterns down', () => {
  for (const [place, objects] of Object.entries(places))
    test(`${place}: each is read in a moment`, () => {
      for (const [name, text] of hostileTexts) quickly(name, () => findingsOf(...objects(text)));
    });

  test('a file of nothing but secrets tells each with its line', () => {
    const secrets = quickly('secrets', () => secretsIn('\n password=a'.repeat(20_000)));
    assert.equal(secrets.length, 20_000);
    assert.deepEqual(secrets.at(-1), { name: 'password', line: 20_001 });
  });

  test('a property of many continued lines is put together once', () => {
    const found = quickly('lines', () => parseProperties(`a=${'b\\\n  '.repeat(50_000)}c\nd=\\\\\ne=f`));
    assert.deepEqual(
      found.map(({ key, value, line }) => [key, value.length, line]),
      [
        ['a', 50_001, 1],
        ['d', 2, 50_002],
        ['e', 1, 50_003],
      ],
    );
  });
});

for (const name of inheritedNames)
  test(`a key ${name} that a ConfigMap does not have is not found in it`, () => {
    const config = configMap('config', { a: 'b' });
    const valueFrom = { configMapKeyRef: { name: 'config', key: name } };
    findingsOf(config, set({ container: { env: [{ name: 'KAFKA_LISTENERS', valueFrom }] } }));
    findingsOf(
      config,
      set({
        container: {
          command: ['kafka-server-start.sh', `/config/${name}`],
          volumeMounts: [{ name: 'config', mountPath: '/config' }],
        },
        pod: { volumes: [{ name: 'config', configMap: { name: 'config' } }] },
      }),
    );
  });
