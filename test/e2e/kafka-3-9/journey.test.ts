import { suite } from 'node:test';
import { clusterUnavailable, images } from '../../cluster/index.ts';
import { journey } from '../../support/journey.ts';

suite('the journey of a vanilla Kafka 3.9', { skip: clusterUnavailable() ?? false }, () =>
  journey({ image: images.kafka39, namespace: 'journey-3-9', version: /^3\.9/ }),
);
