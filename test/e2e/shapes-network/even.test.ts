import { shapesSuite } from '../../shapes/suite.ts';

shapesSuite('network', 'even');
