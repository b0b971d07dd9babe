import { shapesSuite } from '../../shapes/suite.ts';

shapesSuite('others', 'even');
