import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { Orders } from 'orderfold';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const STATUSES = ['placed', 'confirmed', 'cancelling', 'cancelled', 'stalled'];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);
/** Counted as delay by Node, although nothing was late. */
const RESOLUTION_MS = 20;
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const line = (name: string, [labels, value]: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
};

const metric = (name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => line(name, sample)).join('')}`;

/** What the store counts, for all workers. */
const storeMetrics = async (orders: Pick<Orders, 'counts'>): Promise<string> => {
  const { streams, subscriptions } = await orders.counts();
  const each = (count: (of: (typeof subscriptions)[string]) => number): Sample[] =>
    Object.entries(subscriptions).map(([subscription, of]) => [{ subscription }, count(of)]);
  return (
    metric(
      'orderfold_orders',
      'gauge',
      'Orders by status.',
      STATUSES.map((status) => [{ status }, streams[status] ?? 0]),
    ) +
    metric(
      'orderfold_backlog',
      'gauge',
      'Deliveries not done, and neither scheduled nor dead.',
      each(({ backlog }) => backlog),
    ) +
    metric(
      'orderfold_retries_total',
      'counter',
      'Failed attempts.',
      each(({ retries }) => retries),
    ) +
    metric(
      'orderfold_dead_letters',
      'gauge',
      'Open dead letters.',
      each(({ dead }) => dead),
    )
  );
};

/** `GET /metrics` as Prometheus reads it. Labels come from routes and statuses, never from what a client may make up. */
export const serveMetrics = (app: FastifyInstance, orders: Pick<Orders, 'counts'>): void => {
  const requests = new Map<string, { readonly labels: Labels; count: number }>();
  const buckets = BUCKETS_S.map((leS) => ({ leS, count: 0 }));
  let seconds = 0;
  let answered = 0;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  app.addHook('onClose', async () => void delay.disable());

  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    const labels = { method: METHODS.has(method) ? method : 'OTHER', route: routeOptions.url ?? 'none', status: String(statusCode) };
    const key = Object.values(labels).join(' ');
    const counted = requests.get(key) ?? { labels, count: 0 };
    counted.count += 1;
    requests.set(key, counted);
    answered += 1;
    seconds += elapsedTime / 1000;
    for (const bucket of buckets) if (elapsedTime / 1000 <= bucket.leS) bucket.count += 1;
  });

  const processMetrics = (storeUp: boolean): string => {
    const { user, system } = process.cpuUsage();
    const lagS = Math.max(0, delay.percentile(99) / 1e9 - RESOLUTION_MS / 1e3);
    const name = 'orderfold_http_request_duration_seconds';
    const histogram = [...buckets.map(({ leS, count }): Sample => [{ le: String(leS) }, count]), [{ le: '+Inf' }, answered] as const];
    const text =
      metric('orderfold_store_up', 'gauge', 'Whether the store answered just now.', [[{}, storeUp ? 1 : 0]]) +
      metric(
        'orderfold_http_requests_total',
        'counter',
        'Requests answered.',
        [...requests.values()].map(({ labels, count }) => [labels, count]),
      ) +
      `# HELP ${name} Time to answer a request.\n# TYPE ${name} histogram\n` +
      histogram.map((sample) => line(`${name}_bucket`, sample)).join('') +
      line(`${name}_sum`, [{}, seconds]) +
      line(`${name}_count`, [{}, answered]) +
      metric('nodejs_eventloop_lag_p99_seconds', 'gauge', 'Since the last scrape.', [[{}, lagS]]) +
      metric('process_resident_memory_bytes', 'gauge', 'Memory in use.', [[{}, process.memoryUsage.rss()]]) +
      metric('process_cpu_seconds_total', 'counter', 'Processor time used.', [[{}, (user + system) / 1e6]]) +
      metric('process_start_time_seconds', 'gauge', 'When it started, since 1970.', [[{}, performance.timeOrigin / 1000]]);
    delay.reset();
    return text;
  };

  app.get('/metrics', async (_request, reply) => {
    // A scrape while the store is away still tells of the process.
    const stored = await storeMetrics(orders).catch(() => undefined);
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send((stored ?? '') + processMetrics(stored !== undefined));
  });
};
