import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { configMap, headless, object, said, service, set } from './test/objects.ts';

const listeners = { KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093' };

suite('plaintext behind an open door', () => {
  const exposed = (...objects: Parameters<typeof said>[1][]) => said('plaintext-exposed', ...objects);
  const broker = set({ env: listeners });

  test('a LoadBalancer or NodePort in front of a PLAINTEXT listener is named with its port', () => {
    for (const type of ['LoadBalancer', 'NodePort']) {
      const [finding, ...others] = exposed(broker, service('outside', { type }));
      assert.match(finding ?? '', /^outside \/spec\/ports\/0: .* opens listener PLAINTEXT \(port 9092\)/);
      assert.deepEqual(others, []);
    }
  });

  test('target ports are followed by number and by name', () => {
    const named = set({ env: listeners, container: { ports: [{ name: 'bus', containerPort: 9092 }] } });
    for (const targetPort of [9092, 'bus', '9092'])
      assert.equal(
        exposed(named, service('outside', { type: 'NodePort', ports: [{ port: 80, targetPort }] })).length,
        1,
      );
    assert.deepEqual(
      exposed(named, service('outside', { type: 'NodePort', ports: [{ port: 9092, targetPort: 8080 }] })),
      [],
    );
    assert.deepEqual(
      exposed(named, service('outside', { type: 'NodePort', ports: [{ port: 9092, targetPort: 'web' }] })),
      [],
    );
  });

  test("a Service for one pod by its name, and an Ingress or a controller's TCP table before a Service, count too", () => {
    const selector = { 'statefulset.kubernetes.io/pod-name': 'kafka-0' };
    assert.equal(exposed(broker, service('kafka-0-outside', { type: 'NodePort', selector })).length, 1);
    const backend = { service: { name: 'inside', port: { number: 9092 } } };
    const ingress = object('networking.k8s.io/v1', 'Ingress', 'way', {
      spec: { rules: [{ host: 'kafka.test', http: { paths: [{ path: '/', backend }] } }] },
    });
    assert.match(
      exposed(broker, service('inside'), ingress).join(),
      /^way \/spec\/rules\/0\/http\/paths\/0\/backend: Ingress way/,
    );
    const table = configMap('tcp-services', { '9094': 'shop/inside:9092' });
    assert.match(exposed(broker, service('inside'), table).join(), /^tcp-services \/data\/9094/);
  });

  test('Services inside the cluster, of other pods, other namespaces or closed listeners are none', () => {
    assert.deepEqual(exposed(broker, service('inside')), []);
    assert.deepEqual(exposed(broker, headless()), []);
    assert.deepEqual(exposed(broker, service('other', { type: 'NodePort', selector: { app: 'web' } })), []);
    assert.deepEqual(exposed(broker, service('other', { type: 'NodePort', selector: {} })), []);
    const closed = {
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,EXTERNAL://:9094,CONTROLLER://:9093',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,EXTERNAL:SASL_SSL,CONTROLLER:PLAINTEXT',
    };
    const outside = service('outside', { type: 'LoadBalancer', ports: [{ port: 9094 }] });
    assert.deepEqual(exposed(set({ env: closed }), outside), []);
  });

  test('an internal load balancer is a warning', () => {
    const inner = service('inner', { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] });
    assert.equal(exposed(broker, inner).length, 1);
  });
});

suite('JMX', () => {
  const jmx = (...objects: Parameters<typeof said>[1][]) => said('jmx-open', ...objects);

  test('a port that a NodePort opens is found at the Service as well', () => {
    const broker = set({ env: { KAFKA_JMX_PORT: '9999' } });
    const found = jmx(broker, service('jmx', { type: 'NodePort', ports: [{ port: 9999 }] }));
    assert.equal(found.length, 2);
    assert.match(found.join('\n'), /^jmx \/spec\/ports\/0: .*run code in the broker/m);
  });

  test('JMX_PORT of the start script and a port among the JVM options count', () => {
    assert.equal(jmx(set({ env: { JMX_PORT: '5555' } })).length, 1);
    assert.equal(jmx(set({ env: { KAFKA_OPTS: '-Dcom.sun.management.jmxremote.port=5555' } })).length, 1);
  });

  test('an exporter in the pod, a local bind and a protected one are silent', () => {
    const agent = '-javaagent:/opt/jmx_prometheus_javaagent.jar=5556:/etc/rules.yaml';
    assert.deepEqual(
      jmx(
        set({ env: { KAFKA_OPTS: agent } }),
        service('metrics', { type: 'NodePort', ports: [{ port: 5556 }] }),
      ),
      [],
    );
    const local = {
      KAFKA_JMX_OPTS:
        '-Dcom.sun.management.jmxremote.host=127.0.0.1 -Dcom.sun.management.jmxremote.port=9999',
    };
    assert.deepEqual(
      said('jmx-open', set({ env: { JMX_PORT: '9999', ...local } })).filter((f) => f.includes('run code')),
      [],
    );
  });
});

suite('the governing Service', () => {
  const governing = (...objects: Parameters<typeof said>[1][]) => said('service', ...objects);

  test('a name that no Service has is found where Services are among the manifests', () => {
    const [finding] = governing(set({ spec: { serviceName: 'kafka-hs' } }), headless('kafka-headless'));
    assert.match(finding ?? '', /^kafka \/spec\/serviceName: serviceName kafka-hs names no Service/);
    assert.deepEqual(governing(set({ spec: { serviceName: 'kafka-hs' } })), [], 'applied from elsewhere');
  });

  test('one with an address, with another selector, or silent about pods that are not ready', () => {
    assert.match(governing(set(), service('kafka')).join(), /\/spec\/clusterIP: .* not headless/);
    assert.match(
      governing(set(), headless('kafka', { selector: { app: 'web' } })).join(),
      /\/spec\/selector: /,
    );
    assert.match(
      governing(set(), headless('kafka', { publishNotReadyAddresses: false })).join(),
      /\/spec\/publishNotReadyAddresses/,
    );
    assert.deepEqual(governing(set(), headless()), []);
  });

  test('advertised names below another Service do not exist; names outside of the cluster may', () => {
    const advertised = (host: string) =>
      governing(
        headless(),
        set({
          env: {
            KAFKA_LISTENERS: 'PLAINTEXT://:9092',
            KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:9092`,
          },
        }),
      );
    assert.match(advertised('$(POD_NAME).kafka-headless.shop.svc').join(), /names pods below kafka-headless/);
    assert.deepEqual(advertised('$(POD_NAME).kafka.shop.svc.cluster.local'), []);
    assert.deepEqual(advertised('$(POD_NAME).kafka'), []);
    assert.deepEqual(advertised('$(POD_NAME).streams.acme.test'), []);
    assert.deepEqual(advertised('$(POD_IP)'), []);
  });
});

suite('service links', () => {
  const links = (...objects: Parameters<typeof said>[1][]) => said('service-links', ...objects);

  test('a Service called kafka with an address keeps the Confluent image from starting', () => {
    const image = 'confluentinc/cp-kafka:7.9.0';
    const env = { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181', KAFKA_SSL_CLIENT_AUTH: 'required' };
    assert.match(links(set({ image, env }), service('kafka')).join(), /does not start/);
  });

  test('headless ones, other names and pods without links are silent', () => {
    assert.deepEqual(links(set(), headless()), []);
    assert.deepEqual(links(set(), service('kafka-broker')), []);
    assert.deepEqual(links(set({ pod: { enableServiceLinks: false } }), service('kafka')), []);
  });
});
