import { shapesSuite } from '../../shapes/suite.ts';

shapesSuite('apache', 'odd');
