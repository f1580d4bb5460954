export interface JourneyOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}
export declare const journey: (
  command: string,
  args: readonly string[],
  options?: JourneyOptions,
) => Promise<{ readonly url: string; readonly orderId: string; readonly status: 'confirmed' | 'cancelled' }>;
