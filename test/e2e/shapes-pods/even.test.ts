import { shapesSuite } from '../../shapes/suite.ts';

shapesSuite('pods', 'even');
