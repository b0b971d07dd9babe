import { shapesSuite } from '../../shapes/suite.ts';

shapesSuite('apache', 'even');
