import type { Settings } from '../settings.ts';
import { httpServices } from './http.ts';
import type { Services } from './services.ts';
import { simulatedServices } from './simulated.ts';

/** The services behind SERVICES_URL, or simulated ones. */
export const servicesOf = ({ servicesUrl: url, serviceTimeoutMs: timeoutMs, simulation }: Settings): Services =>
  url === undefined ? simulatedServices(simulation) : httpServices({ url, timeoutMs });
