import { isObject } from '../../hardening/tree.ts';
import { placeText } from '../errors.ts';
import { placeOf, type ManifestObject } from './objects.ts';

/** OpenShift's Template: objects with parameters, which the API server does not take as they are. */
const holdsSets = ({ kind, value }: ManifestObject): boolean =>
  kind === 'Template' &&
  Array.isArray(value['objects']) &&
  value['objects'].some((o) => isObject(o) && o['kind'] === 'StatefulSet');

/** A line for each Template whose StatefulSets are not read; empty where there is none. */
export const templatesText = (objects: readonly ManifestObject[]): string =>
  objects
    .filter(holdsSets)
    .map(
      (object) =>
        `Template ${object.name} is left as it is: the StatefulSets in it are not read. Fill it in first, with oc process (${placeText(placeOf(object))}).\n`,
    )
    .join('');
