import type { View } from '../../src/runtime/view.ts';
import { busCluster } from './bus-cluster.ts';
import { type Before, type Count, type CountingOptions, projectCounts } from './counting.ts';

/** A world with the counting view; `calls` holds what each call of its handler was given, as names. */
export const counting = (before: Before = () => {}, options: CountingOptions = {}, { shards = 1 } = {}) => {
  const calls: (readonly string[])[] = [];
  const views: View<Count>[] = [];
  const cluster = busCluster(
    {},
    {
      shards,
      declare: (bus, process) =>
        views.push(
          projectCounts(
            bus,
            process,
            (names, where) => {
              calls.push(names);
              return before(names, where);
            },
            options,
          ),
        ),
    },
  );
  const view = views[0];
  if (view === undefined) throw new Error('nobody declared the view');
  return { ...cluster, calls, view };
};
